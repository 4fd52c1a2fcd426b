//! Load generators and what runs servers for them; tests use them too.

pub mod connection;
pub mod load;
pub mod server;
