//! Adds a place that holds stock.

use crate::catalogue::Location;
use crate::command::{Context, Decision, Reply};
use crate::event::Event;
use crate::limits::LOCATIONS_MAX;
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;

/// A new location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddLocation {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Orders take from lower priorities first.
    pub priority: i64,
}

impl AddLocation {
    #[expect(clippy::unused_self, reason = "every command has this method")]
    pub(crate) fn needs(&self, _needs: &mut Needs) {}

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        if state
            .locations
            .values()
            .any(|location| location.code == self.code)
        {
            return Err(Rejection::invalid(
                "/code",
                "another location has this code",
            ));
        }
        if state.locations.len() >= LOCATIONS_MAX {
            let message = format!("a tenant has at most {LOCATIONS_MAX} locations");
            return Err(Rejection::invalid("", message));
        }
        let location = Location {
            id: context.ids.make(),
            code: self.code.clone(),
            name: self.name.clone(),
            priority: self.priority,
        };
        let reply = Reply::Location(location.id);
        Ok(Decision::created(
            vec![Event::LocationAdded { location }.into()],
            reply,
        ))
    }
}
