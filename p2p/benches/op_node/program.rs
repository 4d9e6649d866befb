//! [`Program`]: op-node's validators in a Go program at the other end of a pipe. How it is asked is said
//! where it is written: `tests/peers/opstack/internal/verdicts`.

use crate::sample::{CHAIN, Sample};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A running program. It ends when it is dropped.
pub(crate) struct Program {
    process: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
}

impl Program {
    pub(crate) fn start(program: &Path) -> Self {
        let mut command = Command::new(program);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = process.stdin.take();
        let output = process.stdout.take().unwrap();
        Self { process, input, output }
    }

    /// The processor time that it takes to judge a frame so often.
    pub(crate) fn measure(&mut self, sample: &Sample, times: u32) -> Duration {
        let jovian_at_genesis = [0_u8; 8];
        let reset = self.ask(b'R', &[&CHAIN.to_le_bytes(), sample.signer.as_slice(), &jovian_at_genesis]);
        assert!(reset.is_empty());
        let now = sample.timestamp.0.to_le_bytes();
        let answer = self.ask(b'M', &[&[4], &now, &times.to_le_bytes(), &sample.frame]);
        Duration::from_nanos(u64::from_le_bytes(answer.try_into().unwrap()))
    }

    fn ask(&mut self, kind: u8, parts: &[&[u8]]) -> Vec<u8> {
        let input = self.input.as_mut().unwrap();
        let size = parts.iter().map(|part| part.len()).sum::<usize>() + 1;
        input.write_all(&u32::try_from(size).unwrap().to_le_bytes()).unwrap();
        input.write_all(&[kind]).unwrap();
        parts.iter().for_each(|part| input.write_all(part).unwrap());
        input.flush().unwrap();
        let mut size = [0; 4];
        self.output.read_exact(&mut size).expect("the program says why it ended");
        let mut answer = vec![0; u32::from_le_bytes(size) as usize];
        self.output.read_exact(&mut answer).expect("the program says why it ended");
        answer
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.input.take());
        let _status = self.process.wait();
    }
}
