//! Pages that are being made: once for all who look for one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// What became of a page.
enum Outcome {
    /// Nobody has tried, or who tried went away.
    Open,
    Made(Bytes),
    /// Who comes now tries for itself.
    Failed,
}

/// A page that is being made.
type Page = Arc<tokio::sync::Mutex<Outcome>>;

/// The name of a page, and the number that it is made for.
pub(crate) type Wanted = (String, u64);

/// All pages that are being made.
#[derive(Default)]
pub(crate) struct Making(Mutex<HashMap<Wanted, Page>>);

/// Forgets a page when who makes it is done, or goes away.
struct Done<'a> {
    making: &'a Making,
    wanted: &'a Wanted,
    page: Page,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        let mut pages = self.making.pages();
        if pages
            .get(self.wanted)
            .is_some_and(|page| Arc::ptr_eq(page, &self.page))
        {
            pages.remove(self.wanted);
        }
    }
}

impl Making {
    fn pages(&self) -> MutexGuard<'_, HashMap<Wanted, Page>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page as another one has just made it, or as `make` makes it now, and whether it did.
    pub(crate) async fn once<E>(
        &self,
        wanted: &Wanted,
        make: impl Future<Output = Result<Bytes, E>>,
    ) -> (Result<Bytes, E>, bool) {
        let open = || Arc::new(tokio::sync::Mutex::new(Outcome::Open));
        let page = Arc::clone(self.pages().entry(wanted.clone()).or_insert_with(open));
        let done = Done {
            making: self,
            wanted,
            page: Arc::clone(&page),
        };
        let mut outcome = page.lock().await;
        match &*outcome {
            Outcome::Made(body) => (Ok(body.clone()), false),
            Outcome::Failed => {
                drop(outcome);
                (make.await, false)
            }
            Outcome::Open => {
                let made = make.await;
                *outcome = made
                    .as_ref()
                    .map_or(Outcome::Failed, |body| Outcome::Made(body.clone()));
                drop(done);
                (made, true)
            }
        }
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.pages().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::{Barrier, oneshot};
    use tokio::task::JoinSet;

    use super::*;

    fn wanted() -> Wanted {
        ("page".to_owned(), 1)
    }

    /// Who goes away leaves nothing behind, whoever comes next.
    #[tokio::test]
    async fn who_goes_away_leaves_nothing_behind() {
        let making = Making::default();
        let wanted = wanted();
        let never = making.once(&wanted, std::future::pending::<Result<Bytes, ()>>());
        let gone = tokio::time::timeout(Duration::from_millis(10), never).await;
        assert!(gone.is_err());
        assert!(making.is_empty());
    }

    /// Tries to make the page, with a maker that fails when `when` is over.
    async fn fails(making: Arc<Making>, when: impl Future<Output = ()>) -> Result<Bytes, ()> {
        let make = async {
            when.await;
            Err(())
        };
        making.once(&wanted(), make).await.0
    }

    /// Those who waited for a page that failed try at the same time, and not one after another: each
    /// of them waits for the others.
    #[tokio::test]
    async fn a_failure_is_not_waited_for_by_each_in_turn() {
        let making = Arc::new(Making::default());
        let (fail, failing) = oneshot::channel();
        let together = Arc::new(Barrier::new(5));
        let mut crowd = JoinSet::new();
        crowd.spawn(fails(Arc::clone(&making), async {
            failing.await.expect("it is told");
        }));
        tokio::task::yield_now().await;
        for _ in 0..5 {
            let together = Arc::clone(&together);
            crowd.spawn(fails(Arc::clone(&making), async move {
                together.wait().await;
            }));
        }
        tokio::task::yield_now().await;
        fail.send(()).expect("it waits");
        assert_eq!(crowd.join_all().await, vec![Err(()); 6]);
        assert!(making.is_empty());
    }
}
