# Made here, kept in Secrets Manager, read by the machines at their start into /etc/table-order/env.

locals {
  lengths = { database = 32, cache = 32, broker = 32, secret_key = 64, jwt_secret_key = 64 }
  secret  = { for name, kept in terraform_data.secret : name => sensitive(kept.output) }
}

data "aws_secretsmanager_random_password" "new" {
  for_each            = local.lengths
  password_length     = each.value
  exclude_punctuation = true # some stand in URLs
}

# A new one with every run; the first is kept.
resource "terraform_data" "secret" {
  for_each = local.lengths
  input    = data.aws_secretsmanager_random_password.new[each.key].random_password
  lifecycle { ignore_changes = [input] }
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
      SECRET_KEY     = local.secret.secret_key
      JWT_SECRET_KEY = local.secret.jwt_secret_key
      DATABASE_URL = format("%s://tableorder:%s@%s/tableorder",
        local.mysql ? "mysql" : "postgres", local.secret.database, aws_db_instance.main.endpoint,
      )
    },
    var.cache ? {
      REDIS_URL = "rediss://:${local.secret.cache}@${aws_elasticache_replication_group.main[0].primary_endpoint_address}:6379/0"
    } : {},
    var.broker ? {
      RABBITMQ_URL = replace(aws_mq_broker.main[0].instances[0].endpoints[0], "amqps://", "amqps://tableorder:${local.secret.broker}@")
    } : {},
  ))
}
