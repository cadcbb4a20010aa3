//! The programs of `services/reporting/RECIPES.md`, run as they stand there.

use rollcall_stack_tests::{api_client, client, import, record, session, source, url};
use serde_json::{Value, json};

/// Returns the program with this name, with the address of the stack.
fn recipe(name: &str) -> String {
    let recipes = include_str!("../../../../reporting/RECIPES.md");
    let (_, after) = recipes
        .split_once(&format!("<!-- {name} -->\n\n```"))
        .unwrap_or_else(|| panic!("no recipe {name}"));
    let (program, _) = after.split_once("\n```").expect("the end of the recipe");
    let (_, program) = program.split_once('\n').expect("a first line");
    program.replace("https://192.0.2.10", &url()) + "\n"
}

/// Runs a shell script in a folder with `download.sh`, the recipe with this name, and the files that
/// they read.
fn run(name: &str, script: &str) -> String {
    let (username, password) = api_client(&["reporting:read"]);
    let credentials = json!({"username": username, "password": password}).to_string();
    let script = format!(
        "set -eu; mkdir -p /tmp/work/.rollcall; cd /tmp/work; cp /state/ca.pem .rollcall/
         while [ $# -gt 0 ]; do printf %s \"$2\" >\"$1\"; shift 2; done
         {script}"
    );
    let mut command = vec!["bash", "-c", &script, "-"];
    let (download, program) = (recipe("download.sh"), recipe(name));
    command.extend([".rollcall/first-client.json", credentials.as_str()]);
    command.extend(["download.sh", download.as_str(), name, program.as_str()]);
    client(&command, "")
}

/// Adds two employees, one of whom was present. Returns their IDs, which no other run has.
fn employees(sessions: impl Fn(&str) -> Vec<Value>) -> [String; 2] {
    let run = uuid::Uuid::new_v4().simple();
    let [present, absent] = ["present", "absent"].map(|name| format!("{name}-{run}"));
    let ids = [format!("E-{run}-1"), format!("E-{run}-2")];
    import(
        ["2025-06-01", ""],
        &[(&present, &ids[0]), (&absent, &ids[1])],
    );
    record(&source(), &sessions(&present));
    ids
}

/// Sessions of June 2025, which no other test uses: two that overlap, and a night shift.
fn june(user: &str) -> Vec<Value> {
    [
        ("2025-06-02T08:00:00Z", "2025-06-02T12:00:00Z"),
        ("2025-06-02T11:00:00Z", "2025-06-02T17:00:00Z"),
        ("2025-06-03T22:00:00Z", "2025-06-04T06:00:00Z"),
    ]
    .iter()
    .flat_map(|(login, logout)| session(user, login, Some(logout), None))
    .collect()
}

#[test]
fn yesterday_is_fetched_with_curl_alone() {
    // The day before today in the time zone of the recipe.
    let now = jiff::Zoned::now().in_tz("Asia/Kolkata").expect("a zone");
    let day = now.date().yesterday().expect("a day");
    let [login, logout] = [8, 17].map(|hour| format!("{day}T{hour:02}:00:00Z"));
    let [present, absent] = employees(|user| session(user, &login, Some(&logout), None));
    let csv = run("yesterday.sh", "sh yesterday.sh; cat attendance_*.csv");
    let line = |employee: &str| {
        csv.lines()
            .find(|line| line.contains(employee))
            .unwrap_or_else(|| panic!("{csv}"))
    };
    assert!(csv.starts_with("date,user,realm,employee_id,"), "{csv}");
    let expected =
        format!(",{present},{day}T08:00:00+00:00,{day}T17:00:00+00:00,1,32400,,0,logout,");
    assert!(line(&present).contains(&expected), "{}", line(&present));
    assert!(
        line(&absent).contains(&format!(",{absent},,,0,0,")),
        "{}",
        line(&absent)
    );
}

#[test]
fn python_client_gets_all_pages() {
    let ids = employees(june);
    let printed = run("attendance.py", "python3 attendance.py");
    let rows: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|row: &Value| row["employee_id"] == ids[0])
        .collect();
    let worked: Vec<_> = rows
        .iter()
        .map(|row| (&row["date"], &row["worked_seconds"]))
        .collect();
    let expected = [json!(["2025-06-02", 32400]), json!(["2025-06-03", 28800])];
    assert_eq!(json!(worked), json!(expected));
}

#[test]
fn frappe_gets_a_row_for_each_check_in_and_check_out() {
    let [employee, _] = employees(june);
    let csv = run("frappe.sh", "sh frappe.sh; cat frappe.csv");
    assert!(csv.starts_with("employee,log_type,time\r\n"), "{csv}");
    let expected = [
        format!("{employee},IN,2025-06-02 08:00:00"),
        format!("{employee},OUT,2025-06-02 17:00:00"),
        format!("{employee},IN,2025-06-03 22:00:00"),
        format!("{employee},OUT,2025-06-04 06:00:00"),
    ];
    let rows: Vec<_> = csv
        .lines()
        .filter(|line| line.contains(&employee))
        .collect();
    assert_eq!(rows, expected);
}

/// Downloads a month by one recipe and loads it by another one into a program that stands in for an
/// HR system. Returns the path, the Authorization header and the content of the request.
fn load_into(system: &str, address: &str, load: &str) -> Value {
    let script = format!(
        "exec 3< <(python3 /clients/hr_systems.py {system}); read -r port <&3
         sed -i \"s|https://{address}|http://127.0.0.1:$port|\" {system}.*
         {load} >/dev/null; cat <&3"
    );
    let printed = match system {
        // Two recipes: one downloads the file, the other one loads it.
        "odoo" => {
            let download = format!(
                "cat >odoo.sh <<'END'\n{}END\nsh odoo.sh\n",
                recipe("odoo.sh")
            );
            run("odoo.py", &(download + &script))
        }
        _ => run("zoho.sh", &script),
    };
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

#[test]
fn odoo_gets_an_attendance_for_each_interval() {
    let [employee, _] = employees(june);
    let request = load_into("odoo", "odoo.example.com", "ODOO_KEY=k1 python3 odoo.py");
    assert_eq!(request[0], "/json/2/hr.attendance/load");
    assert_eq!(request[1], "bearer k1");
    let content = &request[2];
    assert_eq!(content["context"], json!({"tz": "UTC"}));
    assert_eq!(
        content["fields"],
        json!(["employee_id/id", "check_in", "check_out"])
    );
    assert_eq!(
        rows_of(&content["data"], |row| row[0] == employee),
        [
            json!([employee, "2025-06-02 08:00:00", "2025-06-02 17:00:00"]),
            json!([employee, "2025-06-03 22:00:00", "2025-06-04 06:00:00"]),
        ]
    );
}

#[test]
fn zoho_gets_an_entry_for_each_check_in_and_check_out() {
    let [employee, _] = employees(june);
    let request = load_into("zoho", "people.zoho.com", "ZOHO_TOKEN=t1 sh zoho.sh");
    assert_eq!(request[0], "/people/api/attendance/bulkImport");
    assert_eq!(request[1], "Zoho-oauthtoken t1");
    assert_eq!(request[2]["dateFormat"], "yyyy-MM-dd HH:mm:ss");
    let data = request[2]["data"].as_str().expect("the entries");
    let entries = serde_json::from_str(data).expect("JSON");
    assert_eq!(
        rows_of(&entries, |entry| entry["empId"] == employee),
        [
            json!({"empId": employee, "checkIn": "2025-06-02 08:00:00"}),
            json!({"empId": employee, "checkOut": "2025-06-02 17:00:00"}),
            json!({"empId": employee, "checkIn": "2025-06-03 22:00:00"}),
            json!({"empId": employee, "checkOut": "2025-06-04 06:00:00"}),
        ]
    );
}

fn rows_of(list: &Value, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let all = list.as_array().expect("an array").iter();
    all.filter(|row| wanted(row)).cloned().collect()
}
