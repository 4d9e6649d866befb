// Compiles the devnet's contracts and prints {"<name>": "<runtime bytecode, hex>"} as JSON.
// With --write, also writes each bytecode beside its source. The same inputs give the same bytes.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const contracts = join(dirname(fileURLToPath(import.meta.url)), "../../devnet/src/contracts");
const files = readdirSync(contracts).filter((file) => file.endsWith(".sol")).sort();

const input = {
  language: "Solidity",
  sources: Object.fromEntries(
    files.map((file) => [file, { content: readFileSync(join(contracts, file), "utf8") }]),
  ),
  settings: {
    evmVersion: "cancun",
    optimizer: { enabled: true, runs: 200 },
    // No metadata: its hash would change with every comment.
    metadata: { appendCBOR: false, bytecodeHash: "none" },
    outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } },
  },
};

const output = JSON.parse(solc.compile(JSON.stringify(input)));
const problems = output.errors ?? [];
for (const problem of problems) console.error(problem.formattedMessage);
if (problems.length > 0) process.exit(1);

const bytecode = {};
for (const file of files) {
  const name = file.replace(/\.sol$/, "");
  bytecode[name] = output.contracts[file][name].evm.deployedBytecode.object;
  if (process.argv.includes("--write")) {
    writeFileSync(join(contracts, `${name}.bin`), `${bytecode[name]}\n`);
  }
}
console.log(JSON.stringify(bytecode, null, 2));
