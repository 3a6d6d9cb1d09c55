"""Everything that can go wrong, as one tree.

MulliganError                 a line that says what, where, what was got and what to do
├── UserError                 exit status 2: the user can mend it by asking differently
│   ├── ArgumentError         a flag or a value on the command line
│   ├── RecipeError           choices that do not fit each other
│   ├── DataError             the data: missing, empty, unreadable, too small
│   ├── RunFolderError        a folder that is not a run, or already is one
│   ├── FeaturesError         a feature network that is not there or does not fit the data
│   └── DeviceError           a device that is not there
└── RunFailed                 exit status 1: the run itself could not go on
    ├── Sick                  the watch has given the run up
    │   ├── Diverged          numbers exploded or are none at all
    │   ├── Outplayed         the discriminator has won
    │   └── Collapsed         the generator makes nearly the same sample, whatever the latents
    ├── StorageError          the disk is full, read-only or gone
    └── Stopped               exit status 130: Ctrl-C, everything saved
        ├── Terminated        exit status 143: SIGTERM, everything saved
        ├── HungUp            exit status 129: the terminal has gone (SIGHUP), everything saved
        └── TimeUp            exit status 0: --max-hours are over, everything saved
"""


class MulliganError(Exception):
    """The root; `str(error)` is always a single line."""

    exit_status = 1

    def __str__(self) -> str:
        return " ".join(super().__str__().split())


class UserError(MulliganError):
    exit_status = 2


class ArgumentError(UserError):
    pass


class RecipeError(UserError):
    pass


class DataError(UserError):
    pass


class RunFolderError(UserError):
    pass


class FeaturesError(UserError):
    pass


class DeviceError(UserError):
    pass


class RunFailed(MulliganError):
    pass


class Sick(RunFailed):
    pass


class Diverged(Sick):
    pass


class Outplayed(Sick):
    pass


class Collapsed(Sick):
    pass


class StorageError(RunFailed):
    pass


class Stopped(RunFailed):
    exit_status = 130


class Terminated(Stopped):
    exit_status = 143


class HungUp(Stopped):
    exit_status = 129


class TimeUp(Stopped):
    exit_status = 0
