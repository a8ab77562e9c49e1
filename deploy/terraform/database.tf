resource "aws_db_subnet_group" "main" {
  name       = "${var.name}-db"
  subnet_ids = aws_subnet.private[*].id # two zones: RDS asks for them even without Multi-AZ
}

resource "aws_db_parameter_group" "main" {
  name_prefix = "${var.name}-"
  family      = local.mysql ? "mysql8.0" : "postgres15"

  dynamic "parameter" {
    for_each = local.mysql ? {
      character_set_server = "utf8mb4"
      # By the byte, as the program wants it; utf8mb4_unicode_ci would hold two names for one.
      collation_server = "utf8mb4_bin"
      slow_query_log   = "1"
      long_query_time  = "0.5"
      log_output       = "FILE" # by itself a table, from which nothing reaches CloudWatch
      } : {
      "rds.force_ssl"            = "1"
      log_min_duration_statement = "500" # ms; what is promised for a whole answer
      log_lock_waits             = "1"
    }
    content {
      name  = parameter.key
      value = parameter.value
    }
  }
  lifecycle { create_before_destroy = true }
}

resource "aws_db_instance" "main" {
  identifier     = "${var.name}-db"
  engine         = local.mysql ? "mysql" : "postgres"
  engine_version = local.mysql ? "8.0" : "15"
  instance_class = var.database_class

  apply_immediately = true # not on Sunday: what is applied is meant, by day as in trouble

  allocated_storage     = var.database_storage
  max_allocated_storage = var.database_storage_limit
  storage_type          = "gp3"
  storage_encrypted     = true

  db_name  = "tableorder"
  username = "tableorder"
  password = local.secret.database

  db_subnet_group_name   = aws_db_subnet_group.main.name
  vpc_security_group_ids = [aws_security_group.data["database"].id]
  parameter_group_name   = aws_db_parameter_group.main.name
  publicly_accessible    = false
  multi_az               = var.database_multi_az

  backup_retention_period    = 7             # days, with every moment in between
  backup_window              = "18:00-19:00" # UTC: 03:00 in Seoul
  maintenance_window         = "sun:19:00-sun:20:00"
  auto_minor_version_upgrade = true
  copy_tags_to_snapshot      = true
  deletion_protection        = var.database_protected
  skip_final_snapshot        = !var.database_protected
  final_snapshot_identifier  = "${var.name}-last"

  enabled_cloudwatch_logs_exports = keys(aws_cloudwatch_log_group.database)

  lifecycle {
    # After a restore: the snapshot it came from is no reason to make it again.
    ignore_changes = [snapshot_identifier]
    precondition {
      condition     = var.database_storage_limit == 0 || 10 * var.database_storage_limit >= 11 * var.database_storage
      error_message = "database_storage_limit must be 0, or at least a tenth more than database_storage."
    }
  }
}
