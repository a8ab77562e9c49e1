# Made here, kept in Secrets Manager, read by the machines at their start into /etc/table-order/env.

resource "random_password" "database" {
  length  = 32
  special = false # it stands in a URL
}

resource "random_password" "cache" {
  length  = 32
  special = false
}

resource "random_password" "broker" {
  length  = 32
  special = false
}

resource "random_password" "secret_key" {
  length  = 64
  special = false
}

resource "random_password" "jwt_secret_key" {
  length  = 64
  special = false
}

resource "aws_secretsmanager_secret" "program" {
  name_prefix             = "${var.name}/${var.environment}/"
  description             = "What the program must know and nobody else: a variable each"
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "program" {
  secret_id = aws_secretsmanager_secret.program.id
  secret_string = jsonencode(merge(
    {
      SECRET_KEY     = random_password.secret_key.result
      JWT_SECRET_KEY = random_password.jwt_secret_key.result
      DATABASE_URL = format("%s://tableorder:%s@%s/tableorder",
        local.mysql ? "mysql" : "postgres", random_password.database.result, aws_db_instance.main.endpoint,
      )
    },
    var.cache ? {
      REDIS_URL = "rediss://:${random_password.cache.result}@${aws_elasticache_replication_group.main[0].primary_endpoint_address}:6379/0"
    } : {},
    var.broker ? {
      RABBITMQ_URL = replace(aws_mq_broker.main[0].instances[0].endpoints[0], "amqps://", "amqps://tableorder:${random_password.broker.result}@")
    } : {},
  ))
}
