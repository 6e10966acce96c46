//! An upsert whose statement stays prepared.

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

/// An insert, and what becomes of a row that is there already.
///
/// diesel's own upsert is prepared anew by every call, because what its `set` takes may differ from call
/// to call. Here it is one text for each table that is inserted into.
pub(super) struct Adding<Insert>(pub(super) Insert, pub(super) &'static str);

impl<DB: Backend, Insert: QueryFragment<DB>> QueryFragment<DB> for Adding<Insert> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(self.1);
        Ok(())
    }
}

impl<Insert: QueryId> QueryId for Adding<Insert> {
    type QueryId = Adding<Insert::QueryId>;

    const HAS_STATIC_QUERY_ID: bool = Insert::HAS_STATIC_QUERY_ID;
}

impl<Insert, Conn> RunQueryDsl<Conn> for Adding<Insert> {}
