//! Runs a history: draws, batches, moves time, and compares everything with the model.

mod expect;
mod observe;

use std::collections::BTreeMap;

use domain::command::{Command, Decision, Reply, Seal};
use domain::decide::{AddLocation, CreateProduct, CreateTenant, NewVariant, SetPaymentAccount};
use domain::event::Event;
use domain::ids::{LocationId, TenantId, VariantId};
use domain::invariant;
use domain::money::{Amount, Currency};
use domain::order::Order;
use domain::payment::Provider;
use domain::state::State;
use domain::time::Timestamp;
use engine::audit::audit;
use engine::batch::Rules;
use engine::codec::{Codec, Encoded};
use engine::direct::execute;
use engine::reader::Snapshot;
use engine::request::{Answer, Claim, Failure, Request, platform};
use engine::store::Store;

use crate::dice::Dice;
use crate::model::{Level, Model};
use crate::workload::Draw;

/// What went wrong in a history, and what led to it.
#[derive(Debug)]
pub struct Broken {
    /// The seed.
    pub seed: u64,
    /// How many commands had been run.
    pub commands: usize,
    /// What differs.
    pub what: String,
}

/// A store that can also be looked at whole.
pub trait Watched: Store {
    /// A frozen view.
    fn snapshot(&self) -> Box<dyn Snapshot + '_>;
}

impl Watched for engine::memory_store::MemoryStore {
    fn snapshot(&self) -> Box<dyn Snapshot + '_> {
        Box::new(self)
    }
}

/// The real codec, but for answers: those name ids in plain words that the simulator reads.
struct Words<'a>(&'a dyn Codec);

impl Seal for Words<'_> {
    fn seal(&self, order: &Order) -> String {
        self.0.seal(order)
    }
}

impl Codec for Words<'_> {
    fn answer(&self, _state: &State, decision: &Decision) -> Encoded {
        let words = match decision.reply {
            Reply::Order { id, .. } => format!("{id} -"),
            Reply::Checkout {
                order,
                payment: Some(payment),
            } => format!("{order} {payment}"),
            Reply::Checkout {
                order,
                payment: None,
            } => format!("{order} -"),
            Reply::Payment(id) => format!("{id} -"),
            Reply::Cart(id) => format!("{id} -"),
            Reply::Tenant(id) => format!("{id} -"),
            Reply::Location(id) => format!("{id} -"),
            Reply::Product(id) => format!("{id} -"),
            Reply::Level(_)
            | Reply::Refund(..)
            | Reply::Settings
            | Reply::PaymentAccount(_)
            | Reply::Key(_)
            | Reply::WebhookEvent(_)
            | Reply::Controls
            | Reply::Imported(_)
            | Reply::Swept { .. } => "- -".to_owned(),
        };
        Encoded {
            status: 200,
            body: words.into(),
        }
    }

    fn event(&self, event: &Event) -> (&'static str, Vec<u8>) {
        self.0.event(event)
    }

    fn read_event(&self, kind: &str, payload: &[u8]) -> Result<Event, String> {
        self.0.read_event(kind, payload)
    }
}

/// A history under way.
pub struct World<'a, S> {
    store: S,
    codec: &'a dyn Codec,
    /// Whether payments are taken elsewhere, too.
    providers: bool,
    dice: Dice,
    seed: u64,
    now: i64,
    tenant: TenantId,
    variants: Vec<VariantId>,
    locations: Vec<LocationId>,
    model: Model,
    commands: usize,
    /// What happened, one line a command.
    pub trace: Vec<String>,
}

/// When every history begins: 2026-01-01T00:00:00Z.
const BEGIN: i64 = 1_767_225_600_000;
/// Units of each variant at each location to begin with.
const STOCK: [i64; 4] = [5, 3, 0, 40];

impl<'a, S: Watched> World<'a, S> {
    /// A history of `seed` over an empty store.
    pub async fn new(store: S, codec: &'a dyn Codec, seed: u64) -> Result<Self, Broken> {
        Self::begin(store, codec, seed, true).await
    }

    /// A shop whose payments nobody else takes: one of before there were providers.
    pub async fn without_providers(
        store: S,
        codec: &'a dyn Codec,
        seed: u64,
    ) -> Result<Self, Broken> {
        Self::begin(store, codec, seed, false).await
    }

    async fn begin(
        store: S,
        codec: &'a dyn Codec,
        seed: u64,
        providers: bool,
    ) -> Result<Self, Broken> {
        let mut world = Self {
            providers,
            store,
            codec,
            dice: Dice::new(seed),
            seed,
            now: BEGIN,
            tenant: platform(),
            variants: Vec::new(),
            locations: Vec::new(),
            model: Model::default(),
            commands: 0,
            trace: Vec::new(),
        };
        world.set_up().await?;
        Ok(world)
    }

    /// Whose history this is.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Runs `commands` commands, checking after every batch, and audits at the end.
    pub async fn run(&mut self, commands: usize) -> Result<(), Broken> {
        while self.commands < commands {
            self.step().await?;
        }
        let report = {
            let mut snapshot = self.store.snapshot();
            audit(&mut *snapshot, self.codec).map_err(|error| error.to_string())
        };
        match report {
            Ok(report) if report.findings.is_empty() => Ok(()),
            Ok(report) => Err(self.broken(report.findings.join("; "))),
            Err(error) => Err(self.broken(error)),
        }
    }

    fn broken(&self, what: impl Into<String>) -> Broken {
        Broken {
            seed: self.seed,
            commands: self.commands,
            what: what.into(),
        }
    }

    async fn batch(
        &mut self,
        lane: TenantId,
        requests: &[Request],
    ) -> Result<Vec<Result<Answer, Failure>>, Broken> {
        let words = Words(self.codec);
        let rules = Rules {
            codec: &words,
            payment_timeout_minutes: 15,
            answers_kept_millis: 86_400_000,
        };
        let now = Timestamp::from_millis(self.now);
        let done = execute(&mut self.store, lane, requests, now, rules).await;
        done.map_err(|error| self.broken(format!("the store failed: {error}")))
    }

    async fn make(&mut self, lane: TenantId, command: Command) -> Result<String, Broken> {
        let request = Request {
            command,
            claim: None,
            entropy: self.dice.word(),
        };
        let answers = self.batch(lane, &[request]).await?;
        match answers.into_iter().next() {
            Some(Ok(answer)) => Ok(first_word(&answer)),
            other => Err(self.broken(format!("setting up failed: {other:?}"))),
        }
    }

    async fn set_up(&mut self) -> Result<(), Broken> {
        let euro = Currency::parse("EUR").unwrap_or_else(|| unreachable!("EUR is a currency"));
        let (slug, name) = ("shop".to_owned(), "Shop".to_owned());
        let command = CreateTenant {
            slug,
            name,
            default_currency: euro,
        }
        .into();
        let tenant = self.make(platform(), command).await?;
        self.tenant = tenant.parse().unwrap_or_else(|_| platform());
        if self.providers {
            self.make(self.tenant, account().into()).await?;
        }
        let (code, name) = ("second".to_owned(), "Second".to_owned());
        self.make(
            self.tenant,
            AddLocation {
                code,
                name,
                priority: 5,
            }
            .into(),
        )
        .await?;
        // The last variant is so dear that a few thousand of it leave the bounds of money.
        for prices in [vec![100, 250], vec![999, 900_000_000_000]] {
            let variants = prices.iter().map(|price| NewVariant {
                unit_price: Amount::new(*price).unwrap_or_default(),
                ..NewVariant::default()
            });
            let command = CreateProduct {
                handle: None,
                title: "Thing".to_owned(),
                description: None,
                currency: Some(euro),
                variants: variants.collect(),
            };
            self.make(self.tenant, command.into()).await?;
        }
        let state = self.look()?;
        self.locations = state
            .locations_by_priority()
            .iter()
            .map(|place| place.id)
            .collect();
        self.variants = state.variants.values().map(|variant| variant.id).collect();
        for variant in state.variants.values() {
            self.model
                .prices
                .insert(variant.id, variant.unit_price.minor());
        }
        for (index, variant) in self.variants.clone().into_iter().enumerate() {
            for (place, location_id) in self.locations.clone().into_iter().enumerate() {
                let stock = STOCK[(index + place) % STOCK.len()];
                let set = domain::decide::SetStock {
                    variant_id: variant,
                    location_id: Some(location_id),
                    stock_quantity: Some(stock),
                    low_stock_threshold: None,
                    backorder_limit: None,
                    version: None,
                };
                self.make(self.tenant, set.into()).await?;
                self.model
                    .levels
                    .insert((variant, location_id), Level { stock, reserved: 0 });
            }
        }
        Ok(())
    }

    /// The whole state of the shop.
    pub fn state(&self) -> Result<State, Broken> {
        self.look()
    }

    fn look(&self) -> Result<State, Broken> {
        let state = self.store.snapshot().whole_state(self.tenant);
        state.map_err(|error| self.broken(error.to_string()))
    }

    async fn step(&mut self) -> Result<(), Broken> {
        self.now += match self.dice.up_to(19) {
            0 => 300_000 + self.dice.up_to(900_000),
            1 => self.until_a_deadline(),
            _ => 1 + self.dice.up_to(4_000),
        };
        let requests = self.draw();
        // A lever ends its batch; each is looked at by itself.
        let lever = |request: &Request| matches!(request.command, Command::MoveControls(_));
        for batch in requests.chunk_by(|request, _| !lever(request)) {
            self.step_batch(batch).await?;
        }
        Ok(())
    }

    async fn step_batch(&mut self, requests: &[Request]) -> Result<(), Broken> {
        let answers = self.batch(self.tenant, requests).await?;
        let after = self.look()?;
        self.settle_expired(&after);
        for (request, answer) in requests.iter().zip(&answers) {
            self.commands += 1;
            let expected = self.expect(request, answer, &after);
            let got = code(answer);
            self.trace
                .push(format!("{} {} {got}", self.now, request.command.name()));
            if got != expected {
                let command = &request.command;
                return Err(self.broken(format!("{command:?}: {got}, expected {expected}")));
            }
        }
        self.learn_refunds(&after);
        self.settle_deadlines(requests, &after)
            .map_err(|what| self.broken(what))?;
        self.compare(&after)?;
        let found = invariant::violations(&after, None);
        if found.is_empty() {
            Ok(())
        } else {
            Err(self.broken(found.join("; ")))
        }
    }

    /// To the very moment in which some hold ends, or one before.
    fn until_a_deadline(&mut self) -> i64 {
        let now = self.now;
        let ends: Vec<i64> = self
            .model
            .orders
            .values()
            .filter_map(|order| order.expires_at)
            .collect();
        let ahead: Vec<i64> = ends.into_iter().filter(|end| *end > now + 1).collect();
        let before = self.dice.up_to(1);
        self.dice.pick(&ahead).map_or(1, |end| end - now - before)
    }

    fn draw(&mut self) -> Vec<Request> {
        let count = 1 + self.dice.up_to(6);
        let mut requests: Vec<Request> = Vec::new();
        for _ in 0..count {
            let mut draw = Draw {
                dice: &mut self.dice,
                providers: self.providers,
                variants: &self.variants,
                locations: &self.locations,
                model: &self.model,
            };
            let command = draw.command();
            // Two new sets of lines in one batch could not be told apart afterwards.
            let revises = |request: &Request| matches!(request.command, Command::ReviseOrder(_));
            if matches!(command, Command::ReviseOrder(_)) && requests.iter().any(revises) {
                continue;
            }
            let claim = self.dice.one_in(3).then(|| Claim {
                key: [u8::try_from(self.dice.up_to(40)).unwrap_or(0); 16],
                fingerprint: fingerprint(&command),
            });
            let entropy = self.dice.word();
            let request = Request {
                command,
                claim,
                entropy,
            };
            if claim.is_some() && self.dice.one_in(3) {
                requests.push(Request {
                    entropy: self.dice.word(),
                    ..request.clone()
                });
            }
            requests.push(request);
        }
        requests
    }

    /// Every level and every order stands as the model says.
    fn compare(&self, after: &State) -> Result<(), Broken> {
        let stored: BTreeMap<_, _> = after
            .levels
            .values()
            .filter(|level| self.variants.contains(&level.variant_id))
            .map(|l| {
                (
                    l.key(),
                    Level {
                        stock: l.stock_quantity,
                        reserved: l.reserved_stock,
                    },
                )
            })
            .collect();
        if stored != self.model.levels {
            let ours = &self.model.levels;
            return Err(self.broken(format!("levels are {stored:?}, expected {ours:?}")));
        }
        if after.orders.len() != self.model.orders.len() {
            return Err(self.broken("orders were made or lost without an answer"));
        }
        for order in self.model.orders.values() {
            let differs = observe::difference(order, after);
            if let Some(differs) = differs {
                return Err(self.broken(format!("{:?}: {differs}", order.id)));
            }
        }
        Ok(())
    }
}

/// With whom the shop's payments are that somebody else takes.
fn account() -> SetPaymentAccount {
    SetPaymentAccount {
        provider: Provider::Stripe,
        values: BTreeMap::new(),
        sealed: Vec::new(),
    }
}

/// What an answer comes to.
fn code(answer: &Result<Answer, Failure>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(Failure::Refused { rejection, .. }) => rejection.code(),
        Err(Failure::ReadOnly) => "read_only",
        Err(_) => "failed",
    }
}

fn first_word(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// The same command has the same fingerprint.
fn fingerprint(command: &Command) -> [u8; 32] {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in format!("{command:?}").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut print = [0; 32];
    for (to, from) in print.iter_mut().zip(hash.to_le_bytes()) {
        *to = from;
    }
    print
}
