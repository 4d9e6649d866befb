//! [`OpNode`]: op-node's validators, in a Go program at the other end of a pipe. How it is asked is said
//! where it is written: `tests/peers/opstack/internal/verdicts`.

use crate::{
    CHAIN,
    case::{Case, Step},
    verdict::{Answer, Verdict},
};
use crosscheck_p2p::PayloadVersion;
use std::io::{BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running program. It ends when it is dropped.
pub(crate) struct OpNode {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl OpNode {
    pub(crate) fn start(program: &Path) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let input = process.stdin.take();
        let output = BufReader::with_capacity(1 << 20, process.stdout.take().unwrap());
        Self { process, input, output }
    }

    /// What it makes of each frame of each case.
    pub(crate) fn judge(&mut self, cases: &[Case]) -> Vec<Vec<Answer>> {
        let questions: Vec<u8> = cases.iter().flat_map(questions).collect();
        let (input, output) = (self.input.as_mut().unwrap(), &mut self.output);
        std::thread::scope(|scope| {
            // It answers while it is still being asked.
            scope.spawn(move || {
                input.write_all(&questions).unwrap();
                input.flush().unwrap();
            });
            cases.iter().map(|case| answers(output, case)).collect()
        })
    }

    /// The hash of a block as op-node reckons it. `None`: the bytes are none.
    pub(crate) fn hash(&mut self, version: PayloadVersion, signed: &[u8]) -> Option<[u8; 32]> {
        let input = self.input.as_mut().unwrap();
        input.write_all(&question(b'H', &[&[place(version)], signed])).unwrap();
        input.flush().unwrap();
        answer(&mut self.output).try_into().ok()
    }
}

impl Drop for OpNode {
    fn drop(&mut self) {
        drop(self.input.take());
        let _status = self.process.wait();
    }
}

fn questions(case: &Case) -> Vec<u8> {
    let jovian = case.jovian.map(|time| time.0.to_le_bytes());
    let jovian = jovian.as_ref().map_or(&[][..], |time| time);
    let mut questions = question(b'R', &[&CHAIN.to_le_bytes(), case.signer.as_slice(), jovian]);
    for step in &case.steps {
        questions.extend(match step {
            Step::Name(signer) => question(b'N', &[signer.as_slice()]),
            Step::Frame { version, now, frame } => {
                question(b'J', &[&[place(*version)], &now.0.to_le_bytes(), frame])
            }
        });
    }
    questions
}

fn question(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let rest = parts.concat();
    let size = u32::try_from(rest.len() + 1).unwrap();
    [size.to_le_bytes().as_slice(), &[kind], &rest].concat()
}

fn answers(output: &mut BufReader<ChildStdout>, case: &Case) -> Vec<Answer> {
    assert!(answer(output).is_empty());
    let mut answers = Vec::new();
    for step in &case.steps {
        let answer = answer(output);
        if matches!(step, Step::Frame { .. }) {
            let verdict = match answer[0] {
                b'a' => Verdict::Accept,
                b'i' => Verdict::Ignore,
                b'r' => Verdict::Reject,
                other => panic!("{other} is no verdict"),
            };
            let id = answer[1..21].try_into().unwrap();
            answers.push(Answer { verdict, id, reason: String::from_utf8_lossy(&answer[21..]).into_owned() });
        }
    }
    answers
}

fn answer(output: &mut BufReader<ChildStdout>) -> Vec<u8> {
    let mut size = [0; 4];
    output.read_exact(&mut size).expect("the program says why it ended");
    let mut answer = vec![0; u32::from_le_bytes(size) as usize];
    output.read_exact(&mut answer).expect("the program says why it ended");
    answer
}

/// Versions are counted from 1.
fn place(version: PayloadVersion) -> u8 {
    match version {
        PayloadVersion::V1 => 1,
        PayloadVersion::V2 => 2,
        PayloadVersion::V3 => 3,
        PayloadVersion::V4 => 4,
    }
}
