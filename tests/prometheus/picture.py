#!/usr/bin/env python3
"""Draws config/grafana/rota.json as a picture (SVG), from what a real Prometheus saw of a real rotad in some minutes of
trouble: Circle fails, then answers 429, members sign out and strangers ask for whom nobody knows.

Usage: picture.py FOLDER-OF-THE-PROGRAMS OUT.svg [SECONDS]
"""

import html
import json
import os
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import scrape_test
from scrape_test import circle

COLUMNS, ROW, GAP = 24, 26, 8  # the dashboard's grid: columns, and pixels of a row and between panels
WIDTH = 1200
COLORS = ["#3366cc", "#dc3912", "#109618", "#ff9900", "#990099", "#0099c6", "#888888"]
KEEPING = 9  # members that somebody asks for: all that the sandbox has


def trouble(box, seconds):
    """Lives for so many seconds. What happens when, in parts of them."""
    events = [(0.25, "any:unavailable:1"), (0.45, None), (0.6, "any:throttle:0.6"), (0.75, None)]
    client = circle.HeadlessAuth(box.socket)
    began = time.monotonic()
    turn = 0
    while (at := (time.monotonic() - began) / seconds) < 1:
        while events and at >= events[0][0]:
            fault = events.pop(0)[1]
            box.sandbox("/_sandbox/faults", [fault] if fault else [])
        member = 1 + turn % KEEPING
        client.call("POST", "/api/v1/headless/auth_token", json.dumps({"community_member_id": member}))
        if turn % 40 == 0:
            client.call("GET", "/v1/token?email=nobody%40example.com", "")
        if turn % 100 == 50:
            box.rota("sign-out", f"id:{member}")
        turn += 1
        threading.Event().wait(0.05)
    return began


def series_of(box, panel, since, until):
    found = []
    for target in panel["targets"]:
        expression = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "15s").replace("[1h]", "[1m]")
        query = urllib.parse.urlencode({"query": expression, "start": since, "end": until, "step": 1})
        for row in box.ask("query_range?" + query)["result"]:
            legend = target.get("legendFormat", "")
            for label, value in row["metric"].items():
                legend = legend.replace("{{" + label + "}}", value)
            points = [(float(t), float(v)) for t, v in row["values"] if v != "NaN"]
            if points:
                found.append((legend, points))
    return found


def short(value, unit):
    if unit == "percentunit":
        return f"{100 * value:.4g} %"
    if unit == "bytes":
        return f"{value / 1e6:.3g} MB"
    return f"{value:.3g}{' s' if unit == 's' else ''}"


def draw(panel, series, since, until):
    """One panel as SVG."""
    place = panel["gridPos"]
    column = WIDTH / COLUMNS
    x, y = place["x"] * column, place["y"] * (ROW + GAP / 4) + 30
    width, height = place["w"] * column - GAP, place["h"] * (ROW + GAP / 4) - GAP
    unit = panel["fieldConfig"]["defaults"].get("unit", "short")
    out = [f'<g transform="translate({x:.1f},{y:.1f})">'
           f'<rect width="{width:.1f}" height="{height:.1f}" fill="#fff" stroke="#ccc"/>'
           f'<text x="8" y="17" class="t">{html.escape(panel["title"])}</text>']
    if panel["type"] == "stat":
        legend, points = series[-1] if series else ("", [(0, float("nan"))])
        text = legend if panel["title"] == "Version" else short(points[-1][1], unit)
        out.append(f'<text x="{width / 2:.1f}" y="{height / 2 + 18:.1f}" class="n">{html.escape(text)}</text></g>')
        return "".join(out)
    legends = 16 * ((len(series[:6]) + 2) // 3)
    left, top, right, bottom = 70, 26, width - 8, height - 18 - legends
    most = max((v for _, points in series for _, v in points), default=1)
    least = min(0, min((v for _, points in series for _, v in points), default=0))
    most = most if most > least else least + 1
    for share in (0, 0.5, 1):
        at = bottom - share * (bottom - top)
        label = html.escape(short(least + share * (most - least), unit))
        out.append(f'<line x1="{left}" x2="{right:.1f}" y1="{at:.1f}" y2="{at:.1f}" stroke="#eee"/>'
                   f'<text x="{left - 4}" y="{at + 4:.1f}" class="a">{label}</text>')
    for i, (legend, points) in enumerate(series):
        color = COLORS[i % len(COLORS)]
        line = " ".join(f"{left + (t - since) / (until - since) * (right - left):.1f},"
                        f"{bottom - (v - least) / (most - least) * (bottom - top):.1f}" for t, v in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.5"/>')
        if i < 6:
            at_x, at_y = left + i % 3 * (right - left) / 3, bottom + 18 + i // 3 * 16
            out.append(f'<rect x="{at_x:.1f}" y="{at_y - 8:.1f}" width="10" height="3" fill="{color}"/>'
                       f'<text x="{at_x + 14:.1f}" y="{at_y - 3:.1f}" class="l">{html.escape(legend[:34])}</text>')
    return "".join(out) + "</g>"


def main():
    circle.PROGRAMS = os.path.abspath(sys.argv[1])
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 180
    with open(os.path.join(scrape_test.CONFIG, "grafana", "rota.json"), encoding="utf-8") as file:
        dashboard = json.load(file)
    box = scrape_test.WatchedBox()
    try:
        since = time.time()
        trouble(box, seconds)
        until = time.time()
        panels = [draw(panel, series_of(box, panel, since, until), since, until) for panel in dashboard["panels"]]
    finally:
        box.end()
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    height = rows * (ROW + GAP / 4) + 40
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 {WIDTH + 8} {height:.0f}" '
                  'font-family="sans-serif"><style>.t{font-size:13px;font-weight:bold}.n{font-size:26px;'
                  'text-anchor:middle}.a{font-size:10px;text-anchor:end;fill:#666}.l{font-size:10px;fill:#333}</style>'
                  f'<rect x="-8" width="{WIDTH + 8}" height="{height:.0f}" fill="#f4f5f5"/>'
                  f'<text x="0" y="20" class="t">{html.escape(dashboard["title"])}: {seconds:.0f} seconds of trouble</text>'
                  + "".join(panels) + "</svg>\n")


if __name__ == "__main__":
    main()
