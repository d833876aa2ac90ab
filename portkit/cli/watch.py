"""``portkit watch``."""

from __future__ import annotations

from pathlib import Path

import click

from portkit.cli.conflicts import conflict_data
from portkit.cli.context import Project, pass_project
from portkit.cli.progress import bars
from portkit.engine.watch import News, Trial
from portkit.engine.watch import watch as run_watch
from portkit.errors import EnvironmentProblem


@click.command()
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the result as Markdown, e.g. for an issue.",
)
@pass_project
@click.pass_context
def watch(ctx: click.Context, project: Project, report: Path | None) -> None:
    """Mirror what is new upstream, and try every series on it; patches and pins stay as they are.

    Made for a job that runs now and then; docs/ci.md has examples. The exit code is 0 when there is
    nothing to do by hand, 1 when a series needs somebody, 4 when an upstream could not be asked.

    \b
      portkit watch --report watch.md
    """
    with project.locked() as manifest, bars(data=True) as progress:
        result = run_watch(manifest, progress)
    if report is not None:
        from datetime import UTC, datetime

        from portkit.report.post import post

        report.write_text(post(result, datetime.now(UTC).strftime("%Y-%m-%d")))

    def text() -> None:
        for news in result.news:
            _tell_news(news)
        for trial in result.trials:
            _tell_trial(trial)
        if report is not None:
            click.echo(f"written: {report}")

    data = {
        "upstreams": [_news_data(news) for news in result.news],
        "series": [_trial_data(trial) for trial in result.trials],
        "report": str(report) if report else None,
    }
    project.report(data, text)
    failed = [news for news in result.news if news.failed]
    if failed:
        raise EnvironmentProblem(
            f"{len(failed)} of {len(result.news)} upstreams could not be mirrored",
            where=", ".join(news.upstream for news in failed),
            hint="see the report, and run again",
        )
    if not all(trial.ok for trial in result.trials):
        ctx.exit(1)


def _news_data(news: News) -> dict[str, object]:
    return {
        "upstream": news.upstream,
        "track": news.track,
        "newest": news.newest,
        "new": list(news.new),
        "later": news.later,
        "absent": list(news.absent),
        "unreachable": dict(news.problems),
        "failed": news.failed,
    }


def _trial_data(trial: Trial) -> dict[str, object]:
    return {
        "series": trial.series,
        "pin": trial.pin,
        "onto": trial.onto,
        "ok": trial.ok,
        "failed": trial.failed,
        "patches": [
            {
                "name": patch.name,
                "outcome": patch.outcome,
                "replayed": patch.replayed,
                "conflicts": [conflict_data(each) for each in trial.conflicts.get(patch.name, ())],
            }
            for patch in (trial.verdict.patches if trial.verdict else ())
        ],
    }


def _tell_news(news: News) -> None:
    if news.failed:
        click.echo(click.style(f"{news.upstream}: {news.failed}", fg="red"))
        return
    new = ", ".join(news.new) or "nothing"
    later = f"; a later track has {news.later}" if news.later else ""
    click.echo(f"{news.upstream} {news.track}: new is {new}{later}")


def _tell_trial(trial: Trial) -> None:
    if trial.failed:
        click.echo(click.style(f"{trial.series}: {trial.failed}", fg="red"))
    elif trial.verdict is None:
        click.echo(f"{trial.series}: made for {trial.pin}, nothing to do")
    else:
        verdict = trial.verdict
        line = (
            f"{trial.series}: {trial.pin} -> {trial.onto}: {verdict.count('applies')} apply, "
            f"{verdict.count('upstreamed')} upstream already, "
            f"{verdict.count('conflict')} conflict"
        )
        click.echo(click.style(line, fg="green" if trial.ok else "red"))
