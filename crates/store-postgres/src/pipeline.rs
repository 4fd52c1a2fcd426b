//! Statements that go out together and are answered in one round trip.

use std::borrow::Cow;
use std::time::Duration;

use deadpool_postgres::Object;
use domain::ids::{TenantId, TypedId as _};
use futures_util::future::join_all;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use crate::error::Error;

/// For how long answers are waited for: longer than the server gives any statement (see
/// `connections`), so that only a server that is frozen or cut off is given up.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// The same for work that may take long and has no limit on the server, such as copies and audits.
const LONG_ANSWER_MAX: Duration = Duration::from_hours(1);

pub(crate) type Param<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// One statement with its parameters.
pub(crate) struct Ask<'a> {
    sql: Cow<'static, str>,
    types: Vec<Type>,
    params: Vec<Param<'a>>,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self {
            sql: sql.into(),
            types: Vec::new(),
            params: Vec::new(),
        }
    }

    /// Adds the next parameter.
    pub(crate) fn with(mut self, ty: Type, value: impl ToSql + Sync + Send + 'a) -> Self {
        self.push(ty, Box::new(value));
        self
    }

    pub(crate) fn push(&mut self, ty: Type, value: Param<'a>) {
        self.types.push(ty);
        self.params.push(value);
    }

    /// Adds the tenant as the next parameter.
    pub(crate) fn tenant(self, tenant: TenantId) -> Self {
        self.with(Type::UUID, tenant.uuid())
    }
}

/// Says which tenant the transaction sees.
pub(crate) fn name_tenant<'a>(tenant: TenantId) -> Ask<'a> {
    Ask::new("SELECT set_config('stockhold.tenant', $1, true)")
        .with(Type::TEXT, tenant.uuid().to_string())
}

/// Sends all statements at once; their answers in order. Once all are prepared (which a
/// connection does once for each text) everything is sent by the first poll: a caller that goes
/// away afterwards leaves no transaction half sent.
pub(crate) async fn ask_all(client: &Object, asks: &[Ask<'_>]) -> Vec<Result<Vec<Row>, Error>> {
    let answered = tokio::time::timeout(ANSWER_MAX, ask_patiently(client, asks));
    answered.await.unwrap_or_else(|_| vec![Err(Error::Silent)])
}

async fn ask_patiently(client: &Object, asks: &[Ask<'_>]) -> Vec<Result<Vec<Row>, Error>> {
    let mut statements = Vec::with_capacity(asks.len());
    for ask in asks {
        match client.prepare_typed_cached(&ask.sql, &ask.types).await {
            Ok(statement) => statements.push(statement),
            Err(error) => return vec![Err(error.into())],
        }
    }
    let queries = asks.iter().zip(&statements).map(|(ask, statement)| {
        let params: Vec<&(dyn ToSql + Sync)> =
            ask.params.iter().map(|param| &**param as _).collect();
        async move { client.query(statement, &params).await.map_err(Error::from) }
    });
    join_all(queries).await
}

/// The same, where the first failure is all that counts.
pub(crate) async fn ask(client: &Object, asks: &[Ask<'_>]) -> Result<Vec<Vec<Row>>, Error> {
    ask_all(client, asks).await.into_iter().collect()
}

/// The same for work that may take long.
pub(crate) async fn ask_long(client: &Object, asks: &[Ask<'_>]) -> Result<Vec<Vec<Row>>, Error> {
    let answered = tokio::time::timeout(LONG_ANSWER_MAX, ask_patiently(client, asks));
    let answers = answered.await.map_err(|_| Error::Silent)?;
    answers.into_iter().collect()
}
