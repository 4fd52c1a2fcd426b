//! `stockhold tenant`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use domain::decide::CreateTenant;
use domain::money::Currency;
use serde_json::{Value, json};
use wire::views::TenantView;

use super::output;
use super::session::Session;
use crate::cli::{TenantArgs, TenantCommand};

pub(crate) fn run(args: TenantArgs) -> Result<ExitCode> {
    let mut session = Session::open(&args.database.database)?;
    match args.what {
        TenantCommand::Create {
            slug,
            name,
            currency,
        } => {
            let default_currency = Currency::parse(&currency)
                .with_context(|| format!("{currency:?} is no ISO 4217 currency"))?;
            let name = name.unwrap_or_else(|| slug.clone());
            let answer = session.run(
                CreateTenant {
                    slug,
                    name,
                    default_currency,
                }
                .into(),
            )?;
            let made: Value = serde_json::from_slice(&answer.body)?;
            if args.database.json {
                output::line(&made.to_string());
            } else {
                let (slug, id) = (&made["slug"], &made["id"]);
                output::line(&format!(
                    "Made tenant {slug}, id {id}.\nNext: stockhold key create secret --tenant {slug}"
                ).replace('"', ""));
            }
        }
        TenantCommand::List => {
            let tenants = session.tenants()?;
            if args.database.json {
                let views: Vec<_> = tenants.iter().map(TenantView::new).collect();
                output::line(&json!(views).to_string());
            } else {
                let row = |tenant: &domain::tenant::Tenant| {
                    vec![
                        tenant.slug.clone(),
                        tenant.id.to_string(),
                        tenant.name.clone(),
                    ]
                };
                let rows: Vec<_> = tenants.iter().map(row).collect();
                output::table(&["SLUG", "ID", "NAME"], &rows);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
