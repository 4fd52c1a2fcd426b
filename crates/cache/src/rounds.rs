//! Questions that come while others are being answered go together in the next round: what is asked
//! of Redis grows with the number of different questions, and not with the crowd. A round begins
//! after each of its questions has come, so no answer is older than its question.

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::link::ANSWER_MAX;

/// Questions that may wait, and that are taken into one round; more than that go without.
const WAITING_MAX: usize = 4_096;

/// A question, and who asks.
type Asked<Q, A> = (Q, oneshot::Sender<A>);

/// Where questions are asked.
pub(crate) struct Rounds<Q, A>(mpsc::Sender<Asked<Q, A>>);

/// Where they wait for their round.
pub(crate) struct Waiting<Q, A> {
    asked: mpsc::Receiver<Asked<Q, A>>,
    stop: CancellationToken,
}

pub(crate) fn rounds<Q, A>(stop: CancellationToken) -> (Rounds<Q, A>, Waiting<Q, A>) {
    let (sender, asked) = mpsc::channel(WAITING_MAX);
    (Rounds(sender), Waiting { asked, stop })
}

impl<Q, A> Rounds<Q, A> {
    /// The answer, if there is one within the round under way and the next one.
    pub(crate) async fn ask(&self, question: Q) -> Option<A> {
        let (sender, answer) = oneshot::channel();
        self.0.try_send((question, sender)).ok()?;
        timeout(2 * ANSWER_MAX, answer).await.ok()?.ok()
    }
}

/// Questions that are answered together.
pub(crate) struct Round<Q, A> {
    pub(crate) questions: Vec<Q>,
    senders: Vec<oneshot::Sender<A>>,
}

impl<Q, A> Waiting<Q, A> {
    /// The next round; none when nobody is to be answered any more.
    pub(crate) async fn next(&mut self) -> Option<Round<Q, A>> {
        let mut asked = Vec::new();
        let taken = tokio::select! {
            () = self.stop.cancelled() => 0,
            taken = self.asked.recv_many(&mut asked, WAITING_MAX) => taken,
        };
        if taken == 0 {
            return None;
        }
        let (questions, senders) = asked.into_iter().unzip();
        Some(Round { questions, senders })
    }
}

impl<Q, A> Round<Q, A> {
    /// Answers each question, or lets it go without.
    pub(crate) fn answer(self, mut answer: impl FnMut(&Q) -> Option<A>) {
        for (question, sender) in self.questions.iter().zip(self.senders) {
            if let Some(answer) = answer(question) {
                // Who asked may have gone.
                drop(sender.send(answer));
            }
        }
    }
}
