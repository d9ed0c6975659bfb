"""Register a function for every task that can be enqueued."""

from service.entities.tasks import TaskName
from service.worker.main import task_functions


def test_every_task_name_has_exactly_one_function() -> None:
    names = [function.name for function in task_functions()]
    assert sorted(names) == sorted(name.value for name in TaskName)
    functions = [function.coroutine for function in task_functions()]
    assert len({id(function) for function in functions}) == len(functions)
