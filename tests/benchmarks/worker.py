"""A real worker that knows the benchmarks' task functions besides the catalogue's."""

from tasks.engine import Run, user_task
from tasks.worker import main


@user_task(title="Ten steps")
def ten_steps(task: Run) -> None:
    """Ten progress updates and nothing else."""
    for _ in task.each(range(10)):
        pass


@user_task(title="Ten checkpoints")
def ten_checkpoints(task: Run) -> None:
    """Ten progress updates, each of which is committed before the next."""
    for _ in task.each(range(10), every_step=True):
        pass


if __name__ == "__main__":
    main()
