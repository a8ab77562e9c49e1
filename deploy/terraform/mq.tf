resource "aws_mq_broker" "main" {
  count                      = var.broker ? 1 : 0
  broker_name                = var.name
  engine_type                = "RabbitMQ"
  engine_version             = "3.13" # 3.12 is no longer offered
  host_instance_type         = var.broker_type
  deployment_mode            = "SINGLE_INSTANCE"
  publicly_accessible        = false
  subnet_ids                 = [aws_subnet.private[0].id]
  security_groups            = [aws_security_group.data["broker"].id]
  auto_minor_version_upgrade = true

  user {
    username = "tableorder"
    password = local.secret.broker
  }
  logs { general = true }
  maintenance_window_start_time {
    day_of_week = "SUNDAY"
    time_of_day = "19:00"
    time_zone   = "UTC"
  }
}
