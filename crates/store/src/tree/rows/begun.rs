//! The rows of removals that are begun, and of the jobs that they are parts of.

use ledgerline_model::time::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::Rows;
use crate::error::Result;
use crate::tree::Job;

/// Since version 2.
pub(super) const JOBS: &str = "
-- What was asked for together: the last jobs, whether they are done or not.
CREATE TABLE job (
    id      TEXT PRIMARY KEY,
    created INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// How many jobs are remembered.
const JOBS_MAX: i64 = 1_000;

impl Rows {
    pub(crate) fn intents(&self) -> Result<Vec<([u8; 16], String)>> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT id, intent FROM erasure ORDER BY id")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }

    /// All or nothing.
    pub(crate) fn put_intents(
        &self,
        intents: &[([u8; 16], String)],
        job: Option<&Job>,
    ) -> Result<()> {
        self.write(|transaction| {
            let mut put =
                transaction.prepare_cached("INSERT OR REPLACE INTO erasure VALUES (?1, ?2)")?;
            for (id, intent) in intents {
                put.execute(params![id, intent])?;
            }
            job.map_or(Ok(()), |job| put_job(transaction, job))
        })
    }

    pub(crate) fn remove_intent(&self, id: [u8; 16], job: Option<&Job>) -> Result<()> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM erasure WHERE id = ?1", params![id])?;
            job.map_or(Ok(()), |job| put_job(transaction, job))
        })
    }

    pub(crate) fn job(&self, id: &str) -> Result<Option<Job>> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT id, created, body FROM job WHERE id = ?1")?
                .query_row([id], |row| {
                    Ok(Job { id: row.get(0)?, created: Timestamp(row.get(1)?), body: row.get(2)? })
                })
                .optional()
        })
    }
}

fn put_job(transaction: &Transaction<'_>, job: &Job) -> rusqlite::Result<()> {
    let put = "INSERT OR REPLACE INTO job VALUES (?1, ?2, ?3)";
    transaction.execute(put, params![job.id, job.created.0, job.body])?;
    let forget = "DELETE FROM job WHERE id NOT IN
                  (SELECT id FROM job ORDER BY created DESC, id LIMIT ?1)";
    transaction.execute(forget, params![JOBS_MAX]).map(drop)
}
