//! A verification that takes its time, as only a lock can make it. Ignored where there is no PostgreSQL; its suite in
//! `cargo xtask test` runs it.

use tokio_postgres::NoTls;

use super::*;

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn while_a_verification_runs_another_is_told_how_far_it_is() {
    const VERIFY: &str = "/api/devops/verify";
    let (app, key) = with_history().await;
    let admin = app.as_admin().await;
    // What this reads of the facts is in memory from here on.
    key.get("/metrics").await.expect(200);
    let (client, connection) = tokio_postgres::connect(app.database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let lock = "BEGIN; LOCK TABLE revenue_ripple.facts IN ACCESS EXCLUSIVE MODE";
    client.batch_execute(lock).await.unwrap();
    let first = async { admin.get(VERIFY).await.expect(200).json() };
    let second = async {
        while !key.get("/metrics").await.text().contains("rr_store_long_pool_busy 1") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let answer = admin.get(VERIFY).await;
        assert_eq!(answer.header("retry-after"), Some("10"));
        let problem = answer.problem(503, "busy");
        assert!(problem["detail"].as_str().unwrap().contains(" of 0 facts"), "{problem}");
        client.batch_execute("ROLLBACK").await.unwrap();
    };
    let (first, ()) = tokio::join!(first, second);
    assert_eq!(first["status"], "agrees", "{first}");
    assert_eq!(admin.get(VERIFY).await.expect(200).json()["status"], "agrees");
}
