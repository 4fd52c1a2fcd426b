//! Raw sockets: smuggling, slow senders, broken heads.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::shop::Shop;

/// Sends bytes and reads until the server closes or a second passes.
async fn raw(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    drop(timeout(Duration::from_secs(1), stream.read_to_end(&mut answer)).await);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lengths_are_refused_and_what_follows_is_not_read() {
    let shop = Shop::open("smuggling");
    let address = shop.server.address();
    let second = "POST /cart HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n";
    for head in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
        "content-length: 4\r\ncontent-length: 5\r\n",
        "content-length: +4\r\n",
        "content-length: -1\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "content-length : 4\r\n",
    ] {
        let first = format!("POST /cart HTTP/1.1\r\nhost: h\r\n{head}\r\n0\r\n\r\n");
        let answer = raw(address, format!("{first}{second}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{head:?}: {answer}");
    }
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET  /orders HTTP/1.1\r\nhost: h\r\n\r\n",
        b"\r\n\r\n\r\n\0\0\0\0",
    ] {
        let answer = raw(address, bytes).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    let long = format!(
        "GET /orders HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n",
        "a".repeat(200_000)
    );
    let answer = raw(address, long.as_bytes()).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    shop.client().get("/health/ready").await.expect(200);
}

/// Whoever drips is cut off; the others are served meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_are_cut_off_after_the_timeout() {
    let shop = Shop::open("slow");
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(shop.server.address()).await.unwrap();
        stream
            .write_all(b"POST /orders HTTP/1.1\r\nhost: h\r\nx-")
            .await
            .unwrap();
        slow.push(stream);
    }
    let mut body = TcpStream::connect(shop.server.address()).await.unwrap();
    let head = b"POST /orders HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n{";
    body.write_all(head).await.unwrap();
    for _ in 0..20 {
        shop.client().get("/products?limit=1").await.expect(200);
    }
    for stream in &mut slow {
        let mut answer = Vec::new();
        let ended = timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "a slow head was not cut off");
    }
    let mut answer = vec![0; 12];
    timeout(Duration::from_secs(15), body.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 400");
}
