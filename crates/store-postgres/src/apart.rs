//! A runtime of one's own, for work that blocks.

use engine::store::StoreError;
use tokio::runtime::Runtime;

/// A runtime that is always worked with from threads of its own: a runtime must not be entered
/// from another, nor end in one.
pub(crate) struct Apart(Option<Runtime>);

impl Apart {
    pub(crate) fn new() -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self(Some(runtime)))
    }

    pub(crate) fn wait<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        let runtime = self.0.as_ref().expect("it goes only at the end");
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| runtime.block_on(work));
            match worker.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
