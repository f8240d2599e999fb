//! The closed loop, short: two processes on a MariaDB of their own, load, and the operator's law. The pools grow while
//! callers wait for them, up to the whole budget, and shrink when nobody comes; the database never has more connections
//! than the budget, not even while clients hang up in the middle of its work.
#![allow(clippy::unwrap_used, reason = "tests, whose helpers clippy does not know as such")]

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use farmlokal_e2e::closed_loop::{Census, Clients, Controller, Law, Load, Plan, Site, Step};
use farmlokal_operator::controller::validate::budget::Connections;
use farmlokal_operator::crd::{Budget, BudgetMode, Tuning};
use farmlokal_testkit::mariadb::Server;
use tokio::time::{Instant, sleep};

const PODS: u32 = 2;
/// Twice as many as there are connections in either budget.
const CLIENTS: usize = 64;
/// Clients that do not wait for their answers, one after the other.
const IMPATIENT: usize = 200;
/// Pods look at their file each second, so a window without a change comes after each with one.
const WINDOW: Duration = Duration::from_millis(1200);
const PATIENCE: Duration = Duration::from_secs(120);

/// Pods that are tuned, and what their database says.
struct Loop {
    site: Site,
    controller: Controller,
    census: Census,
    reasons: Vec<String>,
}

impl Loop {
    /// A budget of `connections`, divided as `budget_mode` says.
    async fn begin(connections: i32, budget_mode: BudgetMode) -> Self {
        let budget = Budget { connections: Some(connections), ..Budget::default() };
        let asked = Tuning { budget_mode: Some(budget_mode), ..Tuning::default() };
        let connections = Connections::divide(&budget, &asked, PODS).unwrap();
        let controller = Controller::new(Law::Ours, PODS, 2, connections, 0);
        let plan = Plan {
            program: env!("CARGO_BIN_EXE_farmlokal-e2e").into(),
            rows: 2000,
            pods: PODS,
            distance: Duration::from_millis(20),
            first: controller.file().clone(),
        };
        let site = Site::open(&plan).await.unwrap();
        let census = Census::begin(&site.database_url, site.user()).await.unwrap();
        Self { site, controller, census, reasons: vec![] }
    }

    /// Has windows follow each other until one is as `wanted`.
    async fn until(&mut self, wanted: impl Fn(&Step) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            sleep(WINDOW).await;
            let step = self.controller.turn(&self.site.look().await, Instant::now());
            let Step { seen, reason, file, is_new } = &step;
            self.reasons.push(format!("{reason:?} -> {} of {}: {seen:?}", file.pool_max, self.controller.most()));
            if *is_new {
                self.site.publish(file).unwrap();
            }
            if wanted(&step) {
                return;
            }
            assert!(Instant::now() < deadline, "it did not come to that:\n{}", self.reasons.join("\n"));
        }
    }

    /// Many, until all of the budget is in use; then some who hang up, then nobody; and nothing over the budget ever.
    async fn runs_its_course(mut self) {
        let (began, most) = (self.controller.file().pool_max, self.controller.most());
        let clients = Clients::begin(&self.site, Load::Cheap, CLIENTS);
        self.until(|step| most - step.file.pool_max * PODS < PODS && step.seen.confirmed).await;
        let grown = self.controller.file().pool_max;
        assert!(grown > began, "the budget leaves no room to grow");
        let deadline = Instant::now() + PATIENCE;
        let mut counted = self.census.take();
        while counted.most < grown * PODS {
            assert!(Instant::now() < deadline, "not all of the budget is in use: {counted:?}, of {most}");
            sleep(Duration::from_millis(50)).await;
            counted = self.census.take();
        }
        let addresses: Vec<_> = self.site.pods.iter().map(|pod| pod.address).collect();
        tokio::task::block_in_place(|| hang_up(&addresses));
        let served = tokio::task::block_in_place(|| clients.end()).unwrap();
        assert!(!served.answers.is_empty());

        self.until(|step| step.file.pool_max < grown && step.seen.confirmed && step.seen.applied < grown * PODS).await;

        let (counted, allowed) = (self.census.take(), most + PODS);
        assert!(counted.samples > 0 && counted.most >= grown * PODS, "{counted:?}");
        assert!(counted.most <= allowed, "{counted:?}, allowed {allowed}:\n{}", self.reasons.join("\n"));
        // The server itself misses none.
        let high_water = self.census.end().await.unwrap();
        assert!(high_water <= allowed + 1, "{high_water}, allowed {allowed} and the one that counts");
    }
}

/// Asks for what takes the database a while, and does not wait for it.
fn hang_up(pods: &[SocketAddr]) {
    for (pod, number) in pods.iter().cycle().zip(0..IMPATIENT) {
        let mut stream = TcpStream::connect(pod).unwrap();
        let request =
            format!("GET /v1/products?total=true&sort=price&minPrice={number}&limit=1 HTTP/1.1\r\nhost: pod\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(number as u64 % 40));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pools_grow_with_demand_and_shrink_without_it_within_their_shares() {
    Loop::begin(41, BudgetMode::WorstCase).await.runs_its_course().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pools_that_lend_each_other_their_shares_stay_within_the_whole() {
    Loop::begin(41, BudgetMode::Elastic).await.runs_its_course().await;
}

/// The count by which all this is judged does count.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_more_is_seen() {
    let server = Server::start().unwrap();
    let url = server.url("");
    let census = Census::begin(&url, "farmlokal").await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    let holder = std::thread::spawn({
        let (program, url) = (farmlokal_testkit::program::find("mariadb").unwrap(), url::Url::parse(&url).unwrap());
        move || {
            let mut client = std::process::Command::new(program);
            client.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--user=farmlokal"]);
            client.arg(format!("--port={}", url.port().unwrap())).env("MYSQL_PWD", url.password().unwrap());
            client.args(["-e", "SELECT SLEEP(1)"]).output().unwrap().status.success()
        }
    });
    while census.take().most < 2 {
        assert!(Instant::now() < deadline, "nobody counted the second connection");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(holder.join().unwrap());
    assert!(census.end().await.unwrap() >= 2);
}
