//! What the server does when it is full, when callers are slow, and with the paths that it knows.

use super::world::{CHAIN, FIRST, SILENT, Setup, TIP, World, time_of};
use crate::rpc::server::RpcLimits;
use futures::future::join_all;
use jsonrpsee::core::client::{ClientT, SubscriptionClientT};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long anything may take: far more than it ever takes, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(300);

const HALF: &str =
    "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{";

const UPGRADE: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                       sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async fn send(world: &World, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Everything that is answered until the server closes the connection.
async fn answer(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    tokio::time::timeout(DEADLINE, stream.read_to_end(&mut text)).await.unwrap().unwrap();
    String::from_utf8(text).unwrap()
}

/// The first line of an answer.
async fn first_line(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n") {
        text.push(tokio::time::timeout(DEADLINE, stream.read_u8()).await.unwrap().unwrap());
    }
    String::from_utf8(text).unwrap()
}

fn post(path: &str, method: &str) -> String {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": [] }).to_string();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn is_served(world: &World) {
    assert_eq!(world.call("admin_getFailsafeEnabled", &[]).await, Ok(json!(false)));
}

fn counted(world: &World, limit: &str) -> bool {
    let none = format!("crosscheck_limit_reached_total{{limit=\"{limit}\"}} 0\n");
    !world.metrics.shared().render().unwrap().contains(&none)
}

async fn websocket(world: &World) -> WsClient {
    WsClientBuilder::default().build(format!("ws://{}", world.addr)).await.unwrap()
}

#[tokio::test]
async fn idle_websockets_do_not_block_other_callers() {
    let world = World::start(Setup::default()).await;
    let mut open = Vec::new();
    for _ in 0..RpcLimits::STANDARD.websockets.websockets {
        let mut stream = send(&world, UPGRADE).await;
        assert!(first_line(&mut stream).await.contains("101"));
        open.push(stream);
    }
    is_served(&world).await;
    assert!(!counted(&world, "rpc-websockets"));
    let refused = first_line(&mut send(&world, UPGRADE).await).await;
    assert!(refused.contains("503") && counted(&world, "rpc-websockets"), "{refused}");
    // Who leaves makes room.
    open.clear();
    let room =
        async { while WsClientBuilder::default().build(format!("ws://{}", world.addr)).await.is_err() {} };
    tokio::time::timeout(DEADLINE, room).await.unwrap();
}

#[tokio::test]
async fn half_sent_requests_do_not_block_other_callers() {
    let world = World::start(Setup::default()).await;
    let half = join_all((0..256).map(|_| send(&world, HALF))).await;
    is_served(&world).await;
    drop(half);
}

#[tokio::test]
async fn an_incomplete_request_times_out() {
    let mut limits = RpcLimits::STANDARD;
    limits.bodies.within = Duration::from_millis(50);
    let world = World::start(Setup { limits, ..Setup::default() }).await;
    let said = first_line(&mut send(&world, HALF).await).await;
    assert!(said.contains("503") && counted(&world, "rpc-slow-requests"), "{said}");
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let mut limits = RpcLimits::STANDARD;
    limits.connections.idle = Duration::from_millis(50);
    let world = World::start(Setup { limits, ..Setup::default() }).await;
    answer(send(&world, "").await).await;
    answer(send(&world, "POST / HTTP/1.1\r\nhost:").await).await;
    // After an answer, too.
    let kept = post("/", "admin_getFailsafeEnabled").replace("connection: close\r\n", "");
    assert!(answer(send(&world, &kept).await).await.contains("\"result\":false"));
}

#[tokio::test]
async fn a_full_server_is_busy_and_says_so() {
    let mut limits = RpcLimits::STANDARD;
    limits.connections.connections = 2;
    let world = World::start(Setup { limits, ..Setup::default() }).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let kept = post("/", "admin_getFailsafeEnabled").replace("connection: close\r\n", "");
        let mut stream = send(&world, &kept).await;
        assert!(first_line(&mut stream).await.contains("200"));
        held.push(stream);
    }
    let refused = answer(send(&world, &post("/", "admin_getFailsafeEnabled")).await).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("-32603"), "{refused}");
    assert!(counted(&world, "rpc-connections"));
    drop(held);
    let room = async {
        while !answer(send(&world, &post("/", "admin_getFailsafeEnabled")).await).await.contains("200") {}
    };
    tokio::time::timeout(DEADLINE, room).await.unwrap();
}

#[tokio::test]
async fn requests_that_take_all_the_memory_are_busy() {
    let mut limits = RpcLimits::STANDARD;
    limits.bodies.together = 100;
    let world = World::start(Setup { limits, ..Setup::default() }).await;
    is_served(&world).await;
    let large = HALF.replace("500", "200") + &" ".repeat(199);
    let refused = first_line(&mut send(&world, &large).await).await;
    assert!(refused.contains("503") && counted(&world, "rpc-bodies"), "{refused}");
    is_served(&world).await;
}

#[tokio::test]
async fn an_idle_websocket_is_closed_and_a_subscribed_one_is_not() {
    let mut limits = RpcLimits::STANDARD;
    limits.websockets.idle = Duration::from_millis(200);
    let world = World::start(Setup { limits, ..Setup::default() }).await;
    let listening = websocket(&world).await;
    let subscribe = listening.subscribe::<Value, _>(
        "crosscheck_subscribeEvents",
        rpc_params![],
        "crosscheck_unsubscribeEvents",
    );
    let events = subscribe.await.unwrap();
    let idle = websocket(&world).await;
    tokio::time::timeout(DEADLINE, idle.on_disconnect()).await.unwrap();
    assert!(listening.is_connected());
    let asked: bool = listening.request("admin_getFailsafeEnabled", rpc_params![]).await.unwrap();
    assert!(!asked);
    drop(events);
}

#[tokio::test]
async fn calls_of_one_websocket_are_bounded() {
    let mut limits = RpcLimits::STANDARD;
    limits.websockets.calls = 2;
    let world = World::start(Setup { limits, together: usize::MAX, ..Setup::default() }).await;
    let websocket = websocket(&world).await;
    let descriptor = json!({ "chainID": CHAIN.to_string(), "timestamp": time_of(TIP) });
    let check = || {
        let params = rpc_params![world.entries(&[FIRST - 1]), "unsafe", descriptor.clone()];
        websocket.request::<Value, _>("interop_checkAccessList", params)
    };
    let answers = join_all((0..4).map(|_| check())).await;
    let busy = |answer: &Result<Value, _>| {
        matches!(answer, Err(jsonrpsee::core::ClientError::Call(error))
        if error.code() == -32_603 && error.message().contains("too many calls"))
    };
    assert_eq!(answers.iter().filter(|answer| busy(answer)).count(), 2, "{answers:?}");
    assert!(counted(&world, "rpc-websocket-calls"));
}

/// A thousand checks wait for an endpoint that does not answer, while every websocket is taken and as many
/// requests are half sent.
#[tokio::test]
async fn many_idle_connections_do_not_block_other_callers() {
    let world = World::start(Setup { together: usize::MAX, ..Setup::default() }).await;
    let mut websockets = join_all((0..256).map(|_| send(&world, UPGRADE))).await;
    for websocket in &mut websockets {
        assert!(first_line(websocket).await.contains("101"));
    }
    let half = join_all((0..256).map(|_| send(&world, HALF))).await;
    let params = [
        json!(world.entries(&[FIRST - 1, FIRST - 2])),
        json!("unsafe"),
        json!({ "chainID": "901", "timestamp": time_of(TIP) }),
    ];
    let checks = join_all((0..1000).map(|_| world.call("interop_checkAccessList", &params)));
    let warm = [json!(world.entries(&[FIRST])), params[1].clone(), params[2].clone()];
    let others = async {
        for _ in 0..20 {
            is_served(&world).await;
            assert_eq!(world.call("interop_checkAccessList", &warm).await, Ok(Value::Null));
        }
    };
    let (answers, ()) = tokio::join!(checks, others);
    assert!(answers.iter().all(|answer| matches!(answer, Err((-32_603, _)))));
    // Both blocks were asked for once, for all who waited.
    assert_eq!(world.asked.load(Ordering::Relaxed), 2);
    drop((websockets, half));
}

#[rstest]
#[case::probe("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "200", "ok")]
#[case::root("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "200", "ok")]
#[case::other("GET /other HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "405", "")]
#[tokio::test]
async fn probes(#[case] request: &str, #[case] status: &str, #[case] words: &str) {
    let world = World::start(Setup::default()).await;
    let said = answer(send(&world, request).await).await;
    assert!(said.starts_with(&format!("HTTP/1.1 {status}")) && said.contains(words), "{said}");
}

#[rstest]
#[case::root("/", true)]
#[case::chain("/901/", true)]
#[case::chain_without_slash("/901", true)]
#[case::any_other("/rpc", true)]
#[case::unknown_chain("/7/", false)]
#[tokio::test]
async fn paths(#[case] path: &str, #[case] is_served: bool) {
    let world = World::start(Setup { silent: true, ..Setup::default() }).await;
    let said = answer(send(&world, &post(path, "admin_getFailsafeEnabled")).await).await;
    assert_eq!(said.contains("\"result\":false"), is_served, "{said}");
    assert_eq!(said.starts_with("HTTP/1.1 404"), !is_served, "{said}");
    let silent = answer(send(&world, &post(&format!("/{SILENT}/"), "admin_getFailsafeEnabled")).await).await;
    assert!(silent.contains("\"result\":false"));
}
