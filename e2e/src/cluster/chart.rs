//! An instance by its own chart.

use super::embedded::gone;
use super::place::{Place, has_products};
use super::{Arguments, Steps, images};

/// Few: this is about the chart.
const ROWS: u64 = 1_000;

pub(super) fn run(place: &Place, arguments: &Arguments, steps: &mut Steps) -> Result<(), String> {
    let chart = arguments.charts.join("farmlokal");
    let words = format!(
        "install kiosk {} --namespace shops --set spec.seed.rows={ROWS} --set test.image={} --wait --timeout 5m",
        chart.display(),
        images::asking(arguments.registry())
    );
    steps.take("helm install of an instance, and its helm test", || {
        place.tools.helm(&words)?;
        place.tools.helm("test kiosk --namespace shops")?;
        has_products(place.service("shops", "kiosk")?, ROWS)?;
        Ok(format!("{ROWS} products by its Service"))
    })?;
    steps.take("helm uninstall", || {
        place.tools.helm("uninstall kiosk --namespace shops --wait --timeout 2m")?;
        gone(place, "kiosk")
    })?;
    Ok(())
}
