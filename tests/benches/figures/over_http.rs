//! Over HTTP: each endpoint of figures against a bare handler of the same framework that sends the same
//! bytes, and what it costs to say that nothing has changed.

use std::net::SocketAddr;
use std::time::Duration;

use rr_tests::measure::{BARE, Bare, Target, get, get_if_changed};
use rr_tests::process::{Program, make_key};

use super::histories::History;
use super::{median, ratio};

const PATHS: [&str; 4] = [
    "/api/devops/sync/users",
    "/api/devops/sync/revenue",
    "/api/devops/sync/commissions",
    "/api/devops/dashboard",
];
const CONNECTIONS: u64 = 64;
const ROUND: Duration = Duration::from_secs(1);

/// Prints requests per second and the processor time of each, by size and endpoint.
pub(crate) async fn measure(histories: &[History], rounds: u64) {
    println!(
        "\n{:<44}{:>11}{:>9}{:>15}",
        format!("over HTTP, {CONNECTIONS} connections, with key"),
        "requests/s",
        "of bare",
        "CPU µs/request"
    );
    for history in histories {
        let (_, key) = make_key(&history.url(), &["read_metrics"]);
        let server = Program::new(&history.url(), ["serve"]).env("RR_LOG", "info").with_log_file();
        let server = server.serve().await;
        let client = server.client().with_key(&key);
        let ours: SocketAddr = server.client().address().parse().unwrap();
        println!("{} users", history.users);
        for path in PATHS {
            let answer = client.get(path).await.expect(200);
            let tag = answer.header("etag").unwrap().to_owned();
            let bare = Bare::like(&answer);
            let mut targets = [
                Target::new("bare, the same bytes", bare.address, bare.pid(), get(BARE, &key)),
                Target::new("200", ours, server.pid(), get(path, &key)),
                Target::new("304", ours, server.pid(), get_if_changed(path, &key, &tag)),
            ];
            for _ in 0..rounds {
                for target in &mut targets {
                    target.round(CONNECTIONS, ROUND).await;
                }
            }
            let unchanged = client.get(path).header("if-none-match", &tag).await.code() == 304;
            print(path, &targets, unchanged);
        }
    }
}

fn print(path: &str, targets: &[Target], unchanged: bool) {
    let bare = targets.first().map_or(1, |bare| median(&bare.rates));
    for target in targets {
        let rate = median(&target.rates);
        println!(
            "{:<44}{rate:>11}{:>9}{:>15}",
            format!("{path}: {}", target.name),
            ratio(rate, bare),
            median(&target.micros_per_request)
        );
    }
    if !unchanged {
        println!("  time moved a figure meanwhile: some of the 304 were 200");
    }
}
