//! Steps of a schema: which are missing, which can be taken back, and how a script says it.

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its number, from 1.
    pub number: i64,
    /// Its name.
    pub name: &'static str,
    /// The SQL that takes it.
    pub up: &'static str,
    /// The SQL that takes it back.
    pub down: &'static str,
    /// Whether taking it back loses data.
    pub down_destroys: bool,
}

/// How one database says what every step needs.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// Begins a transaction that nobody else writes beside.
    pub begin: &'static str,
    /// Makes the table of the steps that have been taken, unless it is there.
    pub taken: &'static str,
    /// The time in milliseconds since the epoch.
    pub now: &'static str,
}

impl Step {
    /// The step as a script for the database's own shell.
    #[must_use]
    pub fn script_up(&self, dialect: Dialect) -> String {
        let (number, name, up) = (self.number, self.name, self.up);
        let Dialect { begin, taken, now } = dialect;
        format!(
            "-- Step {number}, {name}: up\n{begin};\n{taken};\n{up}\
             INSERT INTO schema_migrations (number, taken_at, taken_by)\n    \
             VALUES ({number}, {now}, 'by hand');\nCOMMIT;\n"
        )
    }

    /// The way back as a script.
    #[must_use]
    pub fn script_down(&self, dialect: Dialect) -> String {
        let (number, name, down) = (self.number, self.name, self.down);
        let loses = if self.down_destroys {
            " (loses data)"
        } else {
            ""
        };
        format!(
            "-- Step {number}, {name}: down{loses}\n{};\n{down}\
             DELETE FROM schema_migrations WHERE number = {number};\nCOMMIT;\n",
            dialect.begin
        )
    }
}

/// A step that has been taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its number.
    pub number: i64,
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// The version of the program that took it.
    pub by: String,
}

/// Why a schema could not be changed or used.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Steps are missing.
    #[error("the database has {found} of {wanted} migrations; run `stockhold migrate up` first")]
    Behind {
        /// Steps taken.
        found: i64,
        /// Steps known.
        wanted: i64,
    },
    /// A newer program has taken steps that this one does not know.
    #[error(
        "the database has migration {found}, this program knows {known}; use the newer program"
    )]
    Newer {
        /// The last step taken.
        found: i64,
        /// The last step known.
        known: i64,
    },
    /// Taking a step back would lose data, and nobody said yes.
    #[error("taking back migration {number} ({name}) destroys data; repeat with --yes to do it")]
    Destroys {
        /// The step.
        number: i64,
        /// Its name.
        name: &'static str,
    },
    /// The database failed.
    #[error("migration failed: {0}")]
    Failed(String),
}

/// The number of the last step taken.
pub fn last_taken(steps: &[Step], taken: &[Taken]) -> Result<i64, MigrateError> {
    let found = taken.last().map_or(0, |taken| taken.number);
    let known = steps.last().map_or(0, |step| step.number);
    if found > known {
        Err(MigrateError::Newer { found, known })
    } else {
        Ok(found)
    }
}

/// Refuses a schema that this program does not work with.
pub fn require_current(steps: &[Step], taken: &[Taken]) -> Result<(), MigrateError> {
    let found = last_taken(steps, taken)?;
    let wanted = steps.last().map_or(0, |step| step.number);
    if found < wanted {
        Err(MigrateError::Behind { found, wanted })
    } else {
        Ok(())
    }
}

/// The steps that are missing, oldest first.
pub fn missing(steps: &'static [Step], taken: &[Taken]) -> Result<Vec<Step>, MigrateError> {
    let done = last_taken(steps, taken)?;
    let missing = steps.iter().filter(|step| step.number > done);
    Ok(missing.copied().collect())
}

/// The last `count` steps that were taken, newest first. One whose way back loses data wants
/// `yes`; without it none is given.
pub fn to_take_back(
    steps: &'static [Step],
    taken: &[Taken],
    (count, yes): (usize, bool),
) -> Result<Vec<Step>, MigrateError> {
    let done = last_taken(steps, taken)?;
    let back = steps.iter().rev().filter(|step| step.number <= done);
    let allowed = |step: &Step| {
        if step.down_destroys && !yes {
            Err(MigrateError::Destroys {
                number: step.number,
                name: step.name,
            })
        } else {
            Ok(*step)
        }
    };
    back.take(count).map(allowed).collect()
}
