# Each has its page in deploy/runbooks, named like the alarm.

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = aws_kms_key.alarms.arn
}

# A key of our own: CloudWatch may not use the one that AWS keeps for SNS.
resource "aws_kms_key" "alarms" {
  description         = "The alarms of ${var.name}"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Principal = { AWS = "arn:aws:iam::${local.account}:root" }, Action = "kms:*", Resource = "*" },
      {
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  count     = var.alarm_email == "" ? 0 : 1
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

locals {
  database = { DBInstanceIdentifier = aws_db_instance.main.identifier }
  machine  = var.balanced ? { AutoScalingGroupName = aws_autoscaling_group.app[0].name } : { InstanceId = aws_instance.app[0].id }

  # Measured by deploy/systemd/table-order-measure.timer on each machine; the highest of all counts.
  ours = { Service = var.name }

  alarms = merge(
    {
      high-cpu = {
        namespace = "AWS/EC2", metric = "CPUUtilization", dimensions = local.machine
        statistic = "Average", above = 80, periods = 2, period = 300
      }
      machine-check = {
        namespace = "AWS/EC2", metric = "StatusCheckFailed", dimensions = local.machine
        statistic = "Maximum", above = 0, periods = 2, period = 60
      }
      database-cpu = {
        namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database
        statistic = "Average", above = 80, periods = 2, period = 300
      }
      # 10, as one might think, would ring with every deploy: it stands above what the pools may take.
      database-connections = {
        namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database
        statistic = "Maximum", above = var.database_connections, periods = 2, period = 300
      }
      database-storage = {
        namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database
        # RDS makes it larger when a tenth is left: below that, or it would ring while all is well.
        statistic = "Minimum", below = min(4, 0.05 * var.database_storage) * 1024 * 1024 * 1024, periods = 1, period = 300
      }
      database-memory = {
        namespace = "AWS/RDS", metric = "FreeableMemory", dimensions = local.database
        # A db.t3.micro has 1 GB, of which PostgreSQL uses all but some 150 MB as it should.
        statistic = "Minimum", below = 64 * 1024 * 1024, periods = 3, period = 300
      }
      errors = {
        namespace = "TableOrder", metric = "Errors", dimensions = {}
        statistic = "Sum", above = 5, periods = 1, period = 300
      }
      http-5xx = {
        namespace = "TableOrder", metric = "HTTP5xx", dimensions = local.ours
        statistic = "Sum", above = 5, periods = 1, period = 300
      }
      unready = {
        namespace = "TableOrder", metric = "Ready", dimensions = local.ours
        statistic = "Minimum", below = 1, periods = 3, period = 60, missing = "breaching"
      }
      # Of a hundred answers of the API so many took more than the 500 ms that are promised; and so of what boards are told, 2 s.
      slow-answers = {
        namespace = "TableOrder", metric = "SlowAnswers", dimensions = local.ours
        statistic = "Maximum", above = 5, periods = 5, period = 60
      }
      stream-delay = {
        namespace = "TableOrder", metric = "LateEvents", dimensions = local.ours
        statistic = "Maximum", above = 5, periods = 3, period = 60
      }
      disk-full = {
        namespace = "TableOrder", metric = "DiskUsed", dimensions = local.ours
        statistic = "Maximum", above = 85, periods = 1, period = 300
      }
      failed-units = {
        namespace = "TableOrder", metric = "FailedUnits", dimensions = local.ours
        statistic = "Maximum", above = 0, periods = 3, period = 60
      }
    },
    var.broker ? {
      outbox-age = {
        namespace = "TableOrder", metric = "OutboxAge", dimensions = local.ours
        statistic = "Maximum", above = 60, periods = 3, period = 60
      }
    } : {},
    var.cache ? {
      redis-away = {
        namespace = "TableOrder", metric = "RedisAway", dimensions = local.ours
        statistic = "Maximum", above = 0, periods = 5, period = 60
      }
      cache-memory = {
        namespace  = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage"
        dimensions = { CacheClusterId = "${var.name}-cache-001" }
        statistic  = "Maximum", above = 80, periods = 2, period = 300
      }
    } : {},
    var.balanced ? {
      balancer-5xx = {
        namespace  = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count"
        dimensions = { LoadBalancer = aws_lb.main[0].arn_suffix }
        statistic  = "Sum", above = 5, periods = 1, period = 300
      }
      unhealthy-machines = {
        namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount"
        dimensions = {
          LoadBalancer = aws_lb.main[0].arn_suffix
          TargetGroup  = aws_lb_target_group.app[0].arn_suffix
        }
        # A new machine counts as one from its start, and takes five minutes to install itself.
        statistic = "Maximum", above = 0, periods = 10, period = 60
      }
    } : {},
  )
}

resource "aws_cloudwatch_metric_alarm" "of" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "What to do: deploy/runbooks/${each.key}.md"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = try(each.value.above, null) == null ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = try(each.value.above, each.value.below)
  evaluation_periods  = each.value.periods
  period              = each.value.period
  treat_missing_data  = try(each.value.missing, "notBreaching")
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
