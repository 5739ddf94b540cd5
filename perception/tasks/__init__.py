"""Tasks to pretrain encoders on, one file each; the file's name is the task's id and it defines one `Task`."""
