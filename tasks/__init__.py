"""The work that people start, and the engine that carries it out.

To write a task, add a file here with one decorated function, and its name to `catalogue.py`:

    from tasks.engine import user_task

    @user_task(title="Count to {number}")
    def count(task, number: int = 10):
        \"\"\"Count slowly, for the joy of it.\"\"\"
        for _ in task.each(range(number)):
            task.wait(1)

Its title, its form and the checks of what people type come from the signature. What `task` can do is in
`tasks/engine/run.py`. Import heavy libraries inside the function: the web process loads this file too.
"""
