//! A relay between a client and a server that can cut the line at any moment.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

/// Connections that are open, each with both of its ends.
type Lines = Arc<Mutex<Vec<(TcpStream, TcpStream)>>>;

/// Relays connections to a port of 127.0.0.1.
pub struct Relay {
    port: u16,
    lines: Lines,
    closed: Arc<AtomicBool>,
}

impl Relay {
    /// A relay to that port, on a free one.
    pub fn to(target: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let relay = Self {
            port: listener.local_addr()?.port(),
            lines: Lines::default(),
            closed: Arc::default(),
        };
        let (lines, closed) = (Arc::clone(&relay.lines), Arc::clone(&relay.closed));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                drop(join(client, target, &lines));
            }
        });
        Ok(relay)
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts every line that is open; how many there were.
    pub fn cut(&self) -> usize {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for (client, server) in lines.iter() {
            drop(client.shutdown(Shutdown::Both));
            drop(server.shutdown(Shutdown::Both));
        }
        lines.drain(..).count()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the listening thread, so that it sees that it is over.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn join(client: TcpStream, target: u16, lines: &Lines) -> std::io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", target))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let pair = (client.try_clone()?, server.try_clone()?);
    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    lines.push(pair);
    for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
        std::thread::spawn(move || pass(from, to));
    }
    Ok(())
}

/// Passes bytes on until one end is gone.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}
