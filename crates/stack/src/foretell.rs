//! At which rate of web requests each limit is reached, where somebody knows the rate that came while the host was read.

use model::observation::number_text;
use model::report::{Report, StationReport};

/// Says of each station with a distance at how many requests per second it is reached.
///
/// Where arrivals at a station were measured it is m / (V·S), the utilization law with V = arrivals ÷ requests; else the
/// rate times the multiple of today's load at which the station is reached. Both take load to grow in proportion.
pub fn foretell(report: &mut Report, requests_per_s: f64) {
    report.window.requests_per_s = Some(requests_per_s);
    for station in &mut report.stations {
        station.station = station.station.clone().at_request_rate(requests_per_s);
        station.saturates_at_requests_per_s = reached_at(station, requests_per_s);
    }
    let Some(narrows) = &mut report.narrows else { return };
    let nearest = report.stations.iter().find(|station| station.id == narrows.station);
    let Some((station, limit)) =
        nearest.and_then(|station| Some((station, station.saturates_at_requests_per_s?)))
    else {
        return;
    };
    narrows.breaks_at_requests_per_s = Some(limit);
    let said = if station.station.is_saturated() {
        format!(" It is full at {} requests/s.", about(requests_per_s))
    } else {
        format!(" As configured it carries about {} requests/s.", about(limit))
    };
    narrows.sentence.push_str(&said);
}

fn reached_at(station: &StationReport, requests_per_s: f64) -> Option<f64> {
    let by_distance = requests_per_s * station.saturates_at_times?;
    let by_arrivals = station.station.saturates_at_requests_per_s();
    Some(by_arrivals.map_or(by_distance, |by_arrivals| by_arrivals.min(by_distance)))
}

/// A rate to three digits.
fn about(rate: f64) -> String {
    let digits = 10_f64.powf((rate.abs().max(1e-9).log10().floor() - 2.0).min(0.0));
    let digits = if rate >= 1000.0 { 10_f64.powf(rate.log10().floor() - 2.0) } else { digits };
    number_text(((rate / digits).round() * digits * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use model::Station;
    use model::report::{HostIdentity, Narrows, SCHEMA, WindowSummary};

    use super::*;

    fn report(station: Station) -> Report {
        let measured = StationReport {
            id: station.id.clone(),
            utilization: station.utilization(),
            headroom: station.headroom(),
            saturates_at_times: station.saturates_at_times(),
            saturates_at_requests_per_s: None,
            station,
        };
        let narrows = Narrows {
            station: measured.id.clone(),
            sentence: "The nearest limit.".to_owned(),
            breaks_at_times: 1.0,
            breaks_at_requests_per_s: None,
        };
        Report {
            schema: SCHEMA.to_owned(),
            host: HostIdentity::default(),
            window: WindowSummary::default(),
            narrows: Some(narrows),
            stations: vec![measured],
            symptoms: vec![],
            causes: vec![],
            unread: vec![],
        }
    }

    fn foretold(station: Station, requests_per_s: f64) -> (Option<f64>, String) {
        let mut report = report(station);
        foretell(&mut report, requests_per_s);
        assert_eq!(report.window.requests_per_s, Some(requests_per_s));
        (report.stations[0].saturates_at_requests_per_s, report.narrows.unwrap().sentence)
    }

    #[test]
    fn a_pool_a_tenth_busy_carries_ten_times_the_requests() {
        let pool = Station { servers: Some(8.0), busy: Some(0.8), ..Station::new("sockets", "s.pool", "") };
        let (limit, sentence) = foretold(pool, 20.0);
        assert_eq!(limit, Some(200.0));
        assert!(sentence.ends_with(" As configured it carries about 200 requests/s."), "{sentence}");
    }

    #[test]
    fn measured_arrivals_count_more_than_what_is_occupied_by_now() {
        let ports = Station {
            servers: Some(600.0),
            busy: Some(12.0),
            arrivals_per_s: Some(2.0),
            service_s: Some(60.0),
            ..Station::new("sockets", "s.ports", "")
        };
        assert_eq!(foretold(ports.clone(), 2.0).0, Some(10.0));
        assert_eq!(foretold(ports, 4.0).0, Some(20.0), "every second request opens a connection");
    }

    #[test]
    fn what_arrivals_exceed_already_is_foretold_below_the_rate_of_now() {
        let ports = Station {
            servers: Some(600.0),
            busy: Some(100.0),
            arrivals_per_s: Some(20.0),
            service_s: Some(60.0),
            ..Station::new("sockets", "s.ports", "")
        };
        assert_eq!(foretold(ports, 20.0).0, Some(10.0));
    }

    #[test]
    fn what_loses_work_is_full_at_the_rate_of_now() {
        let losing = Station { lost_per_s: Some(3.0), ..Station::new("sockets", "s.queue", "") };
        let (limit, sentence) = foretold(losing, 150.0);
        assert_eq!(
            (limit, sentence.as_str()),
            (Some(150.0), "The nearest limit. It is full at 150 requests/s.")
        );
    }

    #[test]
    fn what_was_not_measured_is_not_foretold() {
        assert_eq!(foretold(Station::new("nfs", "n.slots", ""), 20.0).0, None);
    }

    #[test]
    fn rates_are_told_to_three_digits() {
        assert_eq!(
            [199.96, 162.49, 16.249, 1.6249, 12_345.0, 0.012_345].map(about),
            ["200", "162", "16.2", "1.62", "12,300", "0.012"]
        );
    }
}
