"""Prints the dashboard flowtrail.json, by the types of Grafana's own SDK: `just dashboard` writes it again.

A panel is a title, a unit, and its series: what Prometheus is asked, and what each series is called.
"""

import json

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, SortOrder, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode, VariableOption, VariableRefresh, VariableSort

SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
HERE = 'job="flowtrail",instance=~"$instance"'
THEIRS = HERE + ',account=~"$account"'
RATE = "[$__rate_interval]"

# Each row: its name, and its panels.
ROWS = [
    ("Traffic in", [
        ("Messages that the log takes", "cps", [
            (f"max by (stream) (rate(flowtrail_stream_last_sequence{{{HERE}}}{RATE}))", "{{stream}}"),
        ]),
        ("Events published over HTTP", "cps", [
            (f"sum by (family) (rate(flowtrail_ingest_events_total{{{HERE}}}{RATE}))", "{{family}}"),
        ]),
        ("Events taken into views", "cps", [
            (f"sum by (view) (rate(flowtrail_projected_events_total{{{HERE}}}{RATE}))", "{{view}}"),
        ]),
        ("Reports that say more than is kept of them", "cps", [
            (f"sum(rate(flowtrail_reports_with_ignored_members_total{{{HERE}}}{RATE}))", "reports"),
        ]),
    ]),
    ("Views' lag", [
        ("How far behind the log", "s", [
            (f"max by (view) (flowtrail_view_lag_seconds{{{HERE}}})", "{{view}}"),
        ]),
        ("Messages that wait", "short", [
            (f"max by (view) (flowtrail_view_lag_messages{{{HERE}}})", "{{view}}"),
        ]),
        ("Events that could not be taken in", "short", [
            (f"sum by (view) (increase(flowtrail_projection_dead_letters_total{{{HERE}}}{RATE}))", "{{view}}"),
        ]),
    ]),
    ("Questions", [
        ("Requests by route", "reqps", [
            (f"sum by (method, route) (rate(flowtrail_http_requests_total{{{HERE}}}{RATE}))", "{{method}} {{route}}"),
        ]),
        ("Requests by answer", "reqps", [
            (f"sum by (status) (rate(flowtrail_http_requests_total{{{HERE}}}{RATE}))", "{{status}}"),
        ]),
        ("How long answers take to begin", "s", [
            (f"histogram_quantile({part}, sum by (le) (rate(flowtrail_http_request_duration_seconds_bucket{{{HERE}}}{RATE})))", name)
            for part, name in [("0.5", "half of them"), ("0.9", "9 of 10"), ("0.99", "99 of 100")]
        ]),
        ("The slowest routes, 99 of 100 requests", "s", [
            ("topk(8, histogram_quantile(0.99, sum by (le, method, route) "
             f"(rate(flowtrail_http_request_duration_seconds_bucket{{{HERE}}}{RATE}))))", "{{method}} {{route}}"),
        ]),
    ]),
    ("Delivery", [
        ("Events that receivers took", "cps", [
            (f"sum by (account, integration, platform) (rate(flowtrail_delivery_events_total{{{THEIRS}}}{RATE}))",
             "{{account}} {{integration}} {{platform}}"),
        ]),
        ("How long the oldest that waits has waited", "s", [
            (f"max by (account, integration, platform) (flowtrail_delivery_lag_seconds{{{THEIRS}}})",
             "{{account}} {{integration}} {{platform}}"),
        ]),
        ("Messages that wait", "short", [
            (f"max by (account, integration, platform) (flowtrail_delivery_lag_messages{{{THEIRS}}})",
             "{{account}} {{integration}} {{platform}}"),
        ]),
        ("Integrations by state", "short", [
            (f"sum by (state) (flowtrail_delivery_state{{{THEIRS}}})", "{{state}}"),
        ]),
        ("Attempts that failed", "cps", [
            (f"sum by (account, integration, platform) (rate(flowtrail_delivery_failed_attempts_total{{{THEIRS}}}{RATE}))",
             "{{account}} {{integration}} {{platform}}"),
        ]),
        ("Events refused for good, or passed over", "short", [
            (f"sum by (account, integration) (increase(flowtrail_delivery_dead_letters_total{{{THEIRS}}}{RATE}))",
             "{{account}} {{integration}} refused"),
            (f"sum by (account, integration) (increase(flowtrail_delivery_events_passed_over_total{{{THEIRS}}}{RATE}))",
             "{{account}} {{integration}} passed over"),
        ]),
        ("How long attempts take, 99 of 100", "s", [
            ("histogram_quantile(0.99, sum by (le, platform) "
             f"(rate(flowtrail_delivery_attempt_duration_seconds_bucket{{{THEIRS}}}{RATE})))", "{{platform}}"),
        ]),
        ("Since a receiver last took something", "s", [
            (f"time() - max by (account, integration, platform) (flowtrail_delivery_last_success_timestamp_seconds{{{THEIRS}}})",
             "{{account}} {{integration}} {{platform}}"),
        ]),
    ]),
    ("Streams and disk", [
        ("What streams take", "bytes", [
            (f"max by (stream) (flowtrail_stream_bytes{{{HERE}}})", "{{stream}}"),
        ]),
        ("Messages that streams hold", "short", [
            (f"max by (stream) (flowtrail_stream_messages{{{HERE}}})", "{{stream}}"),
        ]),
        ("Messages that streams forget", "cps", [
            (f"max by (stream) (rate(flowtrail_stream_first_sequence{{{HERE}}}{RATE}))", "{{stream}}"),
        ]),
        ("Age of the oldest message", "s", [
            (f"time() - min by (stream) (flowtrail_stream_oldest_timestamp_seconds{{{HERE}}})", "{{stream}}"),
        ]),
        ("What views take", "bytes", [
            (f"sum by (instance, view) (flowtrail_view_disk_bytes{{{HERE}}})", "{{instance}} {{view}}"),
        ]),
    ]),
    ("Process", [
        ("Processors in use", "none", [
            (f"rate(process_cpu_seconds_total{{{HERE}}}{RATE})", "{{instance}}"),
        ]),
        ("Memory", "bytes", [
            (f"process_resident_memory_bytes{{{HERE}}}", "{{instance}}"),
            (f"process_virtual_memory_bytes{{{HERE}}}", "{{instance}} addresses"),
        ]),
        ("Files and connections", "short", [
            (f"process_open_fds{{{HERE}}}", "{{instance}}"),
            (f"process_max_fds{{{HERE}}}", "{{instance}} at most"),
        ]),
        ("Threads", "short", [
            (f"process_threads{{{HERE}}}", "{{instance}}"),
        ]),
    ]),
]

# At the top: a number each, and from when on it is no good one.
NUMBERS = [
    ("Processes that answer", "none", 'sum(up{job="flowtrail"})', None),
    ("Processes that do not", "none", 'count(up{job="flowtrail"} == 0) or vector(0)', 1),
    ("Versions at work", "none", f"count(count by (version, commit) (flowtrail_build_info{{{HERE}}}))", 2),
    ("Started last", "s", f"time() - max(process_start_time_seconds{{{HERE}}})", None),
    ("The view that is farthest behind", "s", f"max(flowtrail_view_lag_seconds{{{HERE}}})", 60),
    ("Requests that fail", "percentunit",
     f'sum(rate(flowtrail_http_requests_total{{{HERE},status=~"5.."}}{RATE})) '
     f"/ sum(rate(flowtrail_http_requests_total{{{HERE}}}{RATE})) or vector(0)", 0.05),
    ("The delivery that is farthest behind", "s", f"max(flowtrail_delivery_lag_seconds{{{THEIRS}}})", 900),
    ("Integrations suspended", "none", f'sum(flowtrail_delivery_state{{{THEIRS},state="suspended"}}) or vector(0)', 1),
]


def drawn():
    page = (
        dashboard.Dashboard("Flowtrail")
        .uid("flowtrail")
        .description("What comes in, how far views and deliveries are behind, what is asked, and what it takes. "
                     "Alerts and what to do about them: docs/operations.md.")
        .tags(["flowtrail"])
        .timezone("utc")
        .time("now-6h", "now")
        .refresh("30s")
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
        .with_variable(choice("instance", "Process", 'label_values(up{job="flowtrail"}, instance)'))
        .with_variable(choice("account", "Account", "label_values(flowtrail_delivery_state, account)"))
    )
    number = 0
    for title, unit, expression, bad_from in NUMBERS:
        number += 1
        page.with_panel(single(title, unit, expression, bad_from).id(number))
    for name, panels in ROWS:
        number += 1
        page.with_row(dashboard.Row(name).id(number))
        # They share the width of 24 between them, four in a line at most.
        span = 24 // min(len(panels), 4)
        for title, unit, series in panels:
            number += 1
            page.with_panel(graph(title, unit, series).id(number).span(span).height(8))
    return page.build()


def choice(name, label, query):
    """Some of the values that a label has, or all of them."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(selected=True, text="All", value="$__all"))
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def single(title, unit, expression, bad_from):
    steps = [Threshold(value=None, color="green")]
    if bad_from is not None:
        steps.append(Threshold(value=bad_from, color="red"))
    thresholds = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    newest = common.ReduceDataOptions().calcs(["lastNotNull"])
    panel = stat.Panel().title(title).unit(unit).datasource(SOURCE).thresholds(thresholds).reduce_options(newest)
    return panel.span(3).height(4).with_target(query(expression, title, "A").instant())


def graph(title, unit, series):
    legend = (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .calcs([])
    )
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    panel = timeseries.Panel().title(title).unit(unit).datasource(SOURCE).min(0).legend(legend).tooltip(tooltip)
    for letter, (expression, name) in zip("ABCDEF", series):
        panel.with_target(query(expression, name, letter))
    return panel


def query(expression, name, letter):
    return prometheus.Dataquery().expr(expression).legend_format(name).ref_id(letter).datasource(SOURCE)


if __name__ == "__main__":
    print(json.dumps(drawn(), cls=JSONEncoder, indent=2))
