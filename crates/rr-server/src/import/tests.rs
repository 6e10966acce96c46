//! What an import takes and refuses, by example.

use std::fs;
use std::path::PathBuf;

use rr_keys::KeyHash;
use rr_store::SecretHash;

use super::tables::TABLES;
use super::*;
use crate::bulk::Item;
use crate::interrupt::Stop;

/// A folder with these files, removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, files: &[(&str, &str)]) -> Folder {
        let path = std::env::temp_dir().join(format!("rr-import-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        for (file, content) in files {
            fs::write(path.join(file), content).unwrap();
        }
        Folder(path)
    }

    fn check(&self) -> Result<Checked, String> {
        check(&self.0, None, &Stop::default()).map_err(|failure| failure.lines().join("; "))
    }

    /// What the rows of one file become; bad ones are left out.
    fn items(&self, file: &str) -> Vec<Item> {
        let table = TABLES.iter().find(|table| table.file == file).unwrap();
        let mut csv = reader::CsvFile::open(table.file, &self.0.join(file), table.columns).unwrap();
        let mut seen = seen::Seen::new();
        let mut items = Vec::new();
        while let Some(row) = csv.next().unwrap() {
            items.extend(
                row.ok().and_then(|row| (table.convert)(&row, &mut seen).ok()).unwrap_or_default(),
            );
        }
        items
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const USERS: &str = "id,email,role,plan,status,created_at,updated_at\n";

#[test]
fn columns_may_stand_in_any_order_behind_a_bom_and_in_quotes() {
    let folder = Folder::with(
        "order",
        &[(
            "users.csv",
            "\u{feff}\"created_at\",\"EMAIL\",\"id\",\"status\",\"role\",\"nickname\"\r\n\
             \"2024-01-01 00:00:00+00\",\"Ann@Example.com\",\"1\",\"active\",\"admin\",\"a, \"\"b\"\"\nc\"\r\n",
        )],
    );
    let checked = folder.check().unwrap();
    assert_eq!((checked.files[0].rows, checked.bad()), (1, 0));
    assert_eq!(checked.files[0].ignored, ["nickname"]);
    let items = folder.items("users.csv");
    let [Item::User(user), Item::Fact(fact)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(user.email, "ann@example.com");
    assert_eq!((user.role.as_str(), user.plan.as_ref()), ("admin", None));
    assert_eq!(user.updated_at, user.created_at);
    assert_eq!(user.id, rr_domain::imported_id("users", "1"));
    assert_eq!(fact.id, rr_domain::imported_id("facts", "users/1/created"));
}

#[test]
fn a_bad_row_is_named_by_file_line_column_and_reason() {
    for (row, expected) in [
        ("1,ann,member,,active,2024-01-01,", "users.csv, line 2, email: is not an e-mail address"),
        ("1,a@b,member,,active,yesterday,", "users.csv, line 2, created_at: is not a time"),
        (",a@b,member,,active,2024-01-01,", "users.csv, line 2, id: is empty"),
        ("1,a@b,member", "users.csv, line 2: has 3 fields where the header has 7"),
        ("1,a@b,\"a\nb\",,active,2024-01-01,", "users.csv, line 2, role: must be 1 to 64"),
        (
            "1,\"a@b\",\"member\",\"gold\",active,2024-01-01,\n2,A@B,member,,active,2024-01-01,",
            "users.csv, line 3, email: occurs in an earlier row",
        ),
        (
            "1,a@b,member,,active,2024-01-01,\n1,c@d,member,,active,2024-01-01,",
            "users.csv, line 3, id: occurs in an earlier row",
        ),
    ] {
        let folder = Folder::with("named", &[("users.csv", &format!("{USERS}{row}\n"))]);
        let checked = folder.check().unwrap();
        assert_eq!(checked.bad(), 1, "{row}");
        assert!(checked.named[0].starts_with(expected), "{}", checked.named[0]);
    }
}

/// Editors count blank lines, and so does whoever looks for the row.
#[test]
fn blank_lines_are_counted_whatever_ends_a_line() {
    for end in ["\n", "\r\n"] {
        let lines = [
            USERS.trim_end(),
            "",
            "1,a@b,member,,active,2024-01-01,",
            "",
            "",
            "2,no address,member,,active,2024-01-01,",
            "3,\"no\n\naddress\",member,,active,2024-01-01,",
            "4,also none,member,,active,2024-01-01,",
            "short",
        ];
        for last in ["", end, &end.repeat(3)] {
            let content = lines.join(end) + last;
            let checked = Folder::with("blank", &[("users.csv", &content)]).check().unwrap();
            let found: Vec<&str> =
                checked.named.iter().map(|bad| bad.split(',').nth(1).unwrap()).collect();
            let found: Vec<&str> = found.iter().map(|at| at.split(':').next().unwrap()).collect();
            assert_eq!(found, [" line 6", " line 7", " line 10", " line 11"], "{content:?}");
        }
    }
}

#[test]
fn lines_are_those_of_the_file_and_not_the_number_of_the_row() {
    let rows =
        "1,\"two\nlines\",a@b,member,active,2024-01-01\n2,,no address,member,active,2024-01-01\n";
    let content = format!("id,note,email,role,status,created_at\n{rows}");
    let checked = Folder::with("lines", &[("users.csv", &content)]).check().unwrap();
    assert_eq!(checked.named, ["users.csv, line 4, email: is not an e-mail address"]);
}

#[test]
fn bytes_that_are_no_text_are_a_bad_row() {
    let folder = Folder::with("bytes", &[]);
    let mut bytes = USERS.as_bytes().to_vec();
    bytes.extend_from_slice(b"1,a\xff@b,member,,active,2024-01-01,\n");
    bytes.extend_from_slice(b"2,a\0@b,member,,active,2024-01-01,\n");
    fs::write(folder.0.join("users.csv"), bytes).unwrap();
    let checked = folder.check().unwrap();
    assert_eq!(
        checked.named,
        [
            "users.csv, line 2, email: is not UTF-8",
            "users.csv, line 3, email: holds a NUL character"
        ]
    );
}

#[test]
fn a_file_that_cannot_be_understood_stops_everything() {
    for (content, expected) in [
        ("", "users.csv is empty"),
        ("id,email,status,created_at\n", "users.csv has no column role"),
        ("id,email,role,status,created_at,email\n", "users.csv has the column email twice"),
    ] {
        let folder = Folder::with("files", &[("users.csv", content)]);
        let error = folder.check().err().unwrap();
        assert!(error.starts_with(expected), "{error}");
    }
    let error = Folder::with("none", &[]).check().err().unwrap();
    assert!(error.contains("holds none of the files users.csv"), "{error}");
    let gone = check(&PathBuf::from("/no/such/folder"), None, &Stop::default());
    assert!(gone.is_err());
}

#[test]
fn subscriptions_and_sales_become_facts() {
    let folder = Folder::with(
        "sales",
        &[
            (
                "subscriptions.csv",
                "id,email,amount,tier,referrer_username,subscribed_at\n\
                 7,A@b.c,47.00,membership,,2024-01-02 00:00:00+00\n",
            ),
            (
                "tripwire_purchases.csv",
                "id,email,amount,referrer_username,purchased_at\n9,a@b.c,7,joe,2024-01-03\n",
            ),
            (
                "commissions.csv",
                "id,referrer_username,email,tier,amount,commission,created_at\n\
                 3,joe,a@b.c,membership,47,23.50,2024-01-02\n",
            ),
        ],
    );
    assert_eq!(folder.check().unwrap().bad(), 0);
    let shown = |file| -> Vec<serde_json::Value> {
        let json = |item| match item {
            Item::Fact(fact) => serde_json::to_value(&fact.kind).unwrap(),
            other => panic!("{other:?}"),
        };
        folder.items(file).into_iter().map(json).collect()
    };
    let subscription = shown("subscriptions.csv");
    assert_eq!(subscription[0]["kind"], "subscription_started");
    assert_eq!(subscription[0]["price"], 4_700);
    let customer = rr_domain::imported_id("customers", "a@b.c").to_string();
    assert_eq!(subscription[0]["customer"], customer);
    assert_eq!(subscription[1]["kind"], "payment_captured");
    assert_eq!(shown("tripwire_purchases.csv")[0]["amount"], 700);
    let commission = &shown("commissions.csv")[0];
    assert_eq!(commission["amount"], 2_350);
    assert_eq!(commission["payable_at"], "2024-02-01T00:00:00Z");
}

#[test]
fn keys_keep_their_hash_and_their_standing() {
    let hash = "ab".repeat(32);
    let header = "id,api_key,user_id,name,permissions,created_at,expires_at,last_used,is_active,created_by\n";
    let rows = format!(
        "1,{hash},u1,CI,\"{{read_metrics,write_webhooks}}\",2024-01-01,2030-01-01,,t,admin\n\
         2,{},,,{{}},2024-01-01,,2024-02-01 10:00:00+00,false,\n",
        "CD".repeat(32),
    );
    let folder = Folder::with("keys", &[("api_keys.csv", &format!("{header}{rows}"))]);
    assert_eq!(folder.check().unwrap().named, Vec::<String>::new());
    let items = folder.items("api_keys.csv");
    let [Item::Key(first), Item::Key(second)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(first.hash, SecretHash::plain(KeyHash::from_bytes([0xab; 32])));
    assert!(first.record.enabled && first.record.permissions.contains("write_webhooks"));
    assert_eq!(first.record.owner.as_deref(), Some("u1"));
    assert!(!second.record.enabled && second.record.permissions.is_empty());
    assert!(second.record.expires_at.is_none() && second.last_used_at.is_some());
    assert_eq!(second.record.name, "DevOps Integration Key");
}

#[test]
fn a_bad_key_row_never_repeats_the_key() {
    let header = "id,api_key,permissions,created_at,expires_at,is_active\n";
    let plain = concat!("rr", "_very-private-text");
    for (row, expected) in [
        (format!("1,{plain},{{}},2024-01-01,,t"), "api_key: is not a SHA-256"),
        (format!("1,{},{{}},2024-01-01,,perhaps", "ab".repeat(32)), "is_active: is neither"),
        (format!("1,{},{{own_all}},2024-01-01,,t", "ab".repeat(32)), "permissions: \"own_all\""),
    ] {
        let folder = Folder::with("badkey", &[("api_keys.csv", &format!("{header}{row}\n"))]);
        let checked = folder.check().unwrap();
        assert!(checked.named[0].contains(expected), "{:?}", checked.named);
        assert!(!checked.named[0].contains("private"));
    }
}

#[test]
fn old_events_and_activity_are_kept() {
    let folder = Folder::with(
        "logs",
        &[
            (
                "webhook_log.csv",
                "id,source,event_type,data,created_at\n\
                 1,devops,deployment,\"{\"\"version\"\": \"\"1.2.3\"\"}\",2024-01-01\n\
                 2,devops,deployment,[],2024-01-01\n",
            ),
            (
                "activity_log.csv",
                "id,type,description,metadata,created_at\n\
                 1,login,Somebody signed in,,2024-01-01\n",
            ),
        ],
    );
    let checked = folder.check().unwrap();
    assert_eq!(checked.named, ["webhook_log.csv, line 3, data: is not a JSON object"]);
    let events = folder.items("webhook_log.csv");
    let [Item::Event(event)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(event.data.get(), r#"{"version": "1.2.3"}"#);
    assert_eq!(event.body, event.data.get().as_bytes());
    let activity = folder.items("activity_log.csv");
    let [Item::Activity(activity)] = activity.as_slice() else { panic!("{activity:?}") };
    assert_eq!(activity.action, "login");
    assert_eq!(activity.detail.get(), r#"{"description":"Somebody signed in","metadata":null}"#);
}

#[test]
fn rejects_say_why_and_hold_the_row() {
    let folder = Folder::with(
        "rejects",
        &[("users.csv", &format!("{USERS}1,ann,member,,active,2024-01-01,\n"))],
    );
    let path = folder.0.join("rejects.csv");
    check(&folder.0, Some(&path), &Stop::default()).unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "file,line,column,reason,row\n\
         users.csv,2,email,is not an e-mail address,1,ann,member,,active,2024-01-01,\n"
    );
}

#[test]
fn an_import_that_is_stopped_while_checking_writes_nothing() {
    let mut rows = USERS.to_owned();
    for number in 0..2_000 {
        rows.push_str(&format!("{number},u{number}@b,member,,active,2024-01-01,\n"));
    }
    let folder = Folder::with("stopped", &[("users.csv", &rows)]);
    let stop = Stop::default();
    stop.ask();
    let failure = check(&folder.0, None, &stop).err().unwrap();
    assert_eq!(failure.lines(), ["stopped before anything was written"]);
}
