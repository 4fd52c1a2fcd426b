//! `stockhold accounts reseal`: seals the secrets of all accounts with the newest key.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use domain::decide::SetPaymentAccount;
use outbound::vault::Vault;

use super::output;
use super::session::Session;
use crate::cli::ResealArgs;

pub(crate) fn reseal(args: &ResealArgs) -> Result<ExitCode> {
    let Some(keys) = &args.vault.accounts_key else {
        bail!("STOCKHOLD_ACCOUNTS_KEY must name the new key, and behind it the old one");
    };
    let vault = Vault::parse(keys)?;
    let mut session = Session::open(&args.at.database)?;
    let (mut sealed, mut known) = (0, 0);
    for tenant in session.tenants()? {
        for (provider, account) in &tenant.accounts {
            if vault.is_newest(&account.sealed) {
                known += 1;
                continue;
            }
            let of = (tenant.id, *provider, &account.values);
            let secrets = vault.open(of, &account.sealed).with_context(|| {
                let (slug, name) = (&tenant.slug, provider.name());
                format!("no key opens the account of {slug} with {name}")
            })?;
            let command = SetPaymentAccount {
                provider: *provider,
                values: account.values.clone(),
                sealed: vault.seal(of, &secrets)?,
            };
            session.run_one(tenant.id, command.into())?;
            sealed += 1;
        }
    }
    output::line(&format!(
        "{sealed} accounts sealed anew, {known} had the newest key"
    ));
    Ok(ExitCode::SUCCESS)
}
