//! [`Lines`]: what tests keep of the log.

use parking_lot::Mutex;
use std::io::Write;
use std::sync::Arc;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// The lines of the log.
pub(crate) struct Lines {
    text: Sink,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    /// Keeps what is logged on this thread from now on.
    pub(crate) fn capture() -> Self {
        let text = Sink::default();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(text.clone()).finish();
        Self { text, _guard: tracing::subscriber::set_default(subscriber) }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.text.0.lock().clone()).unwrap()
    }

    /// How many lines say this.
    pub(crate) fn count(&self, said: &str) -> usize {
        self.text().lines().filter(|line| line.contains(said)).count()
    }
}
