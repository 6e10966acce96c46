//! The panel as part of the server: what it does not have is refused like everything else.

use rr_tests::database::TestDatabase;
use rr_tests::process::Program;

#[tokio::test]
async fn what_the_panel_does_not_have_is_a_problem() {
    let database = TestDatabase::migrated().await;
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let client = server.client();
    for path in [
        "/admin/assets/none.js",
        "/admin/assets/none",
        "/admin/assets/",
        "/admin/assets/..%2Findex.html",
    ] {
        client.get(path).await.problem(404, "not_found");
        let browser = client.get(path).header("accept", "text/html,*/*;q=0.8").await;
        browser.problem(404, "not_found");
    }
    for path in ["/admin", "/admin/", "/admin/embedded-widget", "/admin/assets/none.js"] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = client.call(method, path).await;
            answer.problem(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"), "{method} {path}");
        }
    }
    // Any other place is one in the panel, which reads it itself (or says that it is not built).
    let page = client.get("/admin/embedded-widget/keys").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
}
