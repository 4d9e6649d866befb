// The access lists that @eth-optimism/viem gives messages, one JSON object a line.
//
//   access_lists.mjs encode              reads messages from standard input, prints each one's access list
//   access_lists.mjs generate COUNT SEED prints messages of its own and their access lists; equal seeds, equal lines
//
// A message is {origin, blockNumber, logIndex, timestamp, chainId, topics, data}, the numbers in decimal; its payload is
// what viem makes of the log. A printed line is {message, address, storageKeys}.

import { createInterface } from "node:readline";
import { encodeAccessList, encodeMessagePayload } from "@eth-optimism/viem/utils/interop";

function print(message) {
  const { origin, blockNumber, logIndex, timestamp, chainId, topics, data } = message;
  const id = {
    origin,
    blockNumber: BigInt(blockNumber),
    logIndex: BigInt(logIndex),
    timestamp: BigInt(timestamp),
    chainId: BigInt(chainId),
  };
  const [{ address, storageKeys }, ...others] = encodeAccessList(id, encodeMessagePayload({ topics, data }));
  if (others.length > 0) throw new Error("the access list speaks of more than the inbox");
  console.log(JSON.stringify({ message, address, storageKeys }));
}

// Mulberry32: what is generated depends on the seed alone.
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

function generate(count, seed) {
  const next = random(seed);
  const bytes = (length) => Array.from({ length }, () => (next() & 0xff).toString(16).padStart(2, "0")).join("");
  // A number of up to so many bits: the ends more often than chance would have them, and every width.
  const number = (bits) => {
    const most = (1n << BigInt(bits)) - 1n;
    switch (next() % 8) {
      case 0: return 0n;
      case 1: return most;
      default: return BigInt(`0x${bytes(bits / 8)}`) >> BigInt(next() % bits);
    }
  };
  // Of chain ids, also those on either side of 64 bits.
  const chainId = () => (next() % 4 === 0 ? (1n << 64n) + BigInt(next() % 3) - 1n : number(256));
  for (let made = 0; made < count; made += 1) {
    print({
      origin: `0x${bytes(20)}`,
      blockNumber: number(64).toString(),
      logIndex: number(32).toString(),
      timestamp: number(64).toString(),
      chainId: chainId().toString(),
      topics: Array.from({ length: next() % 5 }, () => `0x${bytes(32)}`),
      data: `0x${bytes(next() % 100)}`,
    });
  }
}

const [mode, count, seed] = process.argv.slice(2);
if (mode === "encode") {
  for await (const line of createInterface({ input: process.stdin })) print(JSON.parse(line));
} else if (mode === "generate") {
  generate(Number(count), Number(seed));
} else {
  console.error("usage: access_lists.mjs encode | generate COUNT SEED");
  process.exit(64);
}
