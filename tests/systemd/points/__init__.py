"""The points that tests/systemd/box_test looks at, a module for each group: look(box, tools, report)."""
