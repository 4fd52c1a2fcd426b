//! `stockhold export`: a shop's data as files, all of them from one snapshot of the database,
//! page by page, beside a running server.

mod catalogue;
mod ledger;
mod orders;
mod sink;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use domain::tenant::Tenant;

use crate::cli::ExportArgs;
use crate::database::{Frozen as FrozenDatabase, Location};

use sink::{Format, Sink};

/// Rows that are read together.
const PAGE: usize = 200;

/// What can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum What {
    /// Places that hold stock
    Locations,
    /// Products with variants, prices and stock, as `stockhold import` takes them
    Products,
    /// Stock levels
    Stock,
    /// Orders with their items
    Orders,
    /// Reservations, active or ended
    Reservations,
    /// Payments
    Payments,
    /// Refunds
    Refunds,
    /// The ledger: what money did, double entry
    Ledger,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Locations => "locations",
            Self::Products => "products",
            Self::Stock => "stock",
            Self::Orders => "orders",
            Self::Reservations => "reservations",
            Self::Payments => "payments",
            Self::Refunds => "refunds",
            Self::Ledger => "ledger",
        }
    }
}

pub(crate) use sink::Format as ExportFormat;

/// One tenant of a frozen database.
struct Frozen {
    snapshot: Box<dyn FrozenDatabase>,
    tenant: Tenant,
}

pub(crate) fn run(args: &ExportArgs) -> Result<ExitCode> {
    let mut snapshot = args.at.database.parse::<Location>()?.freeze()?;
    let tenant = tenant(snapshot.tenants()?, args.tenant.as_deref())?;
    let mut frozen = Frozen { snapshot, tenant };
    let Some(folder) = &args.output else {
        let [what] = args.what.as_slice() else {
            bail!("name one of the lists for standard output, or a folder with --output");
        };
        let mut sink = Sink::new(Box::new(std::io::stdout().lock()), args.format);
        write(&mut frozen, *what, &mut sink)?;
        sink.finish()?;
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(folder)?;
    let all: &[What] = clap::ValueEnum::value_variants();
    let chosen = if args.what.is_empty() {
        all
    } else {
        &args.what
    };
    for what in chosen {
        let name = format!("{}.{}", what.name(), args.format.extension());
        let file = folder.join(name);
        let open = std::fs::File::create(&file)
            .with_context(|| format!("{} cannot be written", file.display()))?;
        let mut sink = Sink::new(Box::new(open), args.format);
        write(&mut frozen, *what, &mut sink)?;
        let rows = sink.finish()?;
        crate::commands::line(&format!("{}: {rows} rows", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn tenant(tenants: Vec<Tenant>, slug: Option<&str>) -> Result<Tenant> {
    let count = tenants.len();
    let mut chosen = tenants
        .into_iter()
        .filter(|tenant| slug.is_none_or(|slug| tenant.slug == slug));
    match (chosen.next(), slug) {
        (Some(_), None) if count > 1 => {
            bail!("there are several tenants; name one with --tenant SLUG")
        }
        (Some(tenant), _) => Ok(tenant),
        (None, Some(slug)) => bail!("there is no tenant {slug:?}"),
        (None, None) => bail!("there is no tenant"),
    }
}

fn write(frozen: &mut Frozen, what: What, sink: &mut Sink) -> Result<()> {
    match what {
        What::Locations => catalogue::locations(frozen, sink),
        What::Products if sink.format == Format::Ndjson => catalogue::product_lines(frozen, sink),
        What::Products => catalogue::product_rows(frozen, sink),
        What::Stock => catalogue::stock(frozen, sink),
        What::Orders => orders::orders(frozen, sink),
        What::Reservations => orders::reservations(frozen, sink),
        What::Payments => orders::payments(frozen, sink),
        What::Refunds => orders::refunds(frozen, sink),
        What::Ledger => ledger::ledger(frozen, sink),
    }
}

impl Frozen {
    /// Goes through the products, page by page.
    fn products(
        &mut self,
        mut each: impl FnMut(&domain::state::State) -> Result<()>,
    ) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.snapshot.products(self.tenant.id, after, PAGE)?;
            let Some(last) = page.products.values().next_back() else {
                return Ok(());
            };
            after = Some(last.id);
            each(&page)?;
        }
    }

    /// Goes through the orders, page by page.
    fn orders(&mut self, mut each: impl FnMut(&domain::state::State) -> Result<()>) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.snapshot.orders(self.tenant.id, after, PAGE)?;
            let Some(last) = page.orders.values().next_back() else {
                return Ok(());
            };
            after = Some(last.id);
            each(&page)?;
        }
    }
}
