//! The two roles: one owns the schema, one serves and owns nothing.

/// SQL that makes both, for whoever administers the database.
pub const CREATE: &str = "\
-- Run this once as an administrator of the database server, with passwords of your own.
-- stockhold_owner owns the schema: use it for `stockhold migrate` and `stockhold copy` only.
-- stockhold_app serves: it owns nothing, and row-level security shows it one tenant at a time.
CREATE ROLE stockhold_owner LOGIN PASSWORD 'change me' NOSUPERUSER NOBYPASSRLS;
CREATE ROLE stockhold_app LOGIN PASSWORD 'change me, too' NOSUPERUSER NOBYPASSRLS;
GRANT stockhold_app TO stockhold_owner;
CREATE DATABASE stockhold OWNER stockhold_owner;
-- Then, connected to that database:
-- GRANT ALL ON SCHEMA public TO stockhold_owner;
--   stockhold migrate up --database 'postgres://stockhold_owner:…@HOST/stockhold'
--   stockhold serve      --database 'postgres://stockhold_app:…@HOST/stockhold'
";
