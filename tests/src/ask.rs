//! Programs that stay in a namespace and answer one question after another. This is
//! faster than a new process for each question.

use std::io::{BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde::de::DeserializeOwned;
use serde_json::StreamDeserializer;
use serde_json::de::IoRead;

use crate::netns::Netns;

/// A program that reads one question per line, and answers each in JSON.
pub(crate) struct Asked<T: DeserializeOwned> {
    program: &'static str,
    child: Child,
    questions: Option<ChildStdin>,
    answers: StreamDeserializer<'static, IoRead<BufReader<ChildStdout>>, T>,
}

impl<T: DeserializeOwned> Asked<T> {
    /// Starts the program in a namespace.
    pub(crate) fn start(netns: &Netns, program: &'static str, flags: &[&str]) -> Self {
        let mut child = netns
            .command(program)
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("can't run {program}: {error}"));
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        Self {
            program,
            child,
            questions,
            answers: serde_json::Deserializer::from_reader(answers).into_iter(),
        }
    }

    /// Asks questions, without waiting for the answers.
    pub(crate) fn ask(&mut self, questions: &[&str]) {
        let lines = questions.join("\n") + "\n";
        let pipe = self.questions.as_mut().expect("questions are taken");
        pipe.write_all(lines.as_bytes())
            .unwrap_or_else(|error| panic!("{} {lines}: {error}", self.program));
    }

    /// Reads the answers to the next questions.
    pub(crate) fn answers<const N: usize>(&mut self) -> [T; N] {
        std::array::from_fn(|_| match self.answers.next() {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => panic!("{} printed something else: {error}", self.program),
            None => panic!("{} left an answer out", self.program),
        })
    }
}

impl<T: DeserializeOwned> Drop for Asked<T> {
    fn drop(&mut self) {
        // The program ends at the end of its input.
        self.questions = None;
        let _ = self.child.wait();
    }
}
