//! Questions that come while others are being answered go together in the next round: what is asked
//! of Redis grows with the number of different questions, and not with the crowd. A round begins
//! after each of its questions has come, so no answer is older than its question.

use tokio::sync::{mpsc, oneshot};

/// Questions that may wait; more than that go without.
const WAITING_MAX: usize = 16_384;

/// A question, and who asks.
type Asked<Q, A> = (Q, oneshot::Sender<A>);

/// Where questions are asked.
pub(crate) struct Rounds<Q, A>(mpsc::Sender<Asked<Q, A>>);

/// Where they wait for their round.
pub(crate) struct Waiting<Q, A>(mpsc::Receiver<Asked<Q, A>>);

pub(crate) fn rounds<Q, A>() -> (Rounds<Q, A>, Waiting<Q, A>) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Rounds(sender), Waiting(receiver))
}

impl<Q, A> Rounds<Q, A> {
    /// The answer, if there is one.
    pub(crate) async fn ask(&self, question: Q) -> Option<A> {
        let (sender, answer) = oneshot::channel();
        self.0.try_send((question, sender)).ok()?;
        answer.await.ok()
    }
}

/// Questions that are answered together.
pub(crate) struct Round<Q, A> {
    pub(crate) questions: Vec<Q>,
    senders: Vec<oneshot::Sender<A>>,
}

impl<Q, A> Waiting<Q, A> {
    /// The next round, of at most `most` questions; none when nobody can ask any more.
    pub(crate) async fn next(&mut self, most: usize) -> Option<Round<Q, A>> {
        let mut asked = Vec::new();
        if self.0.recv_many(&mut asked, most).await == 0 {
            return None;
        }
        let (questions, senders) = asked.into_iter().unzip();
        Some(Round { questions, senders })
    }
}

impl<Q, A> Round<Q, A> {
    /// Answers the questions in their order. Who gets nothing goes without.
    pub(crate) fn answer(self, answers: impl IntoIterator<Item = A>) {
        for (sender, answer) in self.senders.into_iter().zip(answers) {
            // Who asked may have gone.
            drop(sender.send(answer));
        }
    }
}
