data "aws_ssm_parameter" "image" {
  name = {
    al2023 = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    ubuntu = "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id"
  }[var.operating_system]
}

locals {
  user_data = base64encode(templatefile("${path.module}/user_data.sh.tftpl", {
    region         = var.region
    secret         = aws_secretsmanager_secret.program.arn
    release        = "s3://${aws_s3_bucket.releases.bucket}/${var.release}"
    mysql          = local.mysql
    balanced       = var.balanced
    name           = var.name
    client         = local.mysql ? { rpm = "mariadb105", deb = "mariadb-client" } : { rpm = "postgresql15", deb = "postgresql-client" }
    app_log_group  = aws_cloudwatch_log_group.of["app"].name
    site_log_group = aws_cloudwatch_log_group.of["nginx"].name
    variables = {
      ENVIRONMENT     = "production"
      ALLOWED_HOSTS   = var.domain
      CORS_ORIGINS    = join(",", var.cors_origins)
      TRUSTED_PROXIES = "1"
      AWS_REGION      = var.region
      S3_BUCKET_NAME  = aws_s3_bucket.images.bucket
      LOG_LEVEL       = "INFO"
      LOG_FILE        = "/var/log/table-order/app.log" # the agent reads it; see README on CLOUDWATCH_LOG_GROUP
      MEDIA_ROOT      = "/srv/table-order/shared/media"
    }
  }))
}

resource "aws_launch_template" "app" {
  name_prefix            = "${var.name}-"
  image_id               = data.aws_ssm_parameter.image.value
  instance_type          = var.instance_type
  key_name               = var.key_name == "" ? null : var.key_name
  user_data              = local.user_data
  update_default_version = true

  vpc_security_group_ids = [aws_security_group.app.id]
  iam_instance_profile { arn = aws_iam_instance_profile.app.arn }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required" # IMDSv2 only
    http_put_response_hop_limit = 1
  }
  block_device_mappings {
    device_name = var.operating_system == "ubuntu" ? "/dev/sda1" : "/dev/xvda"
    ebs {
      volume_size           = var.volume_size
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }
  tag_specifications {
    resource_type = "instance"
    tags          = { Name = "${var.name}-app", Project = var.name }
  }
  depends_on = [aws_secretsmanager_secret_version.program]
}

# --- One instance -------------------------------------------------------------------------------------------------

resource "aws_instance" "app" {
  count     = var.balanced ? 0 : 1
  subnet_id = aws_subnet.public[0].id
  launch_template {
    id      = aws_launch_template.app.id
    version = aws_launch_template.app.latest_version
  }
  tags = { Name = "${var.name}-app" }
  lifecycle {
    ignore_changes = [launch_template, ami, user_data] # a new image is no reason to replace what serves
  }
}

resource "aws_eip" "app" {
  count    = var.balanced ? 0 : 1
  instance = aws_instance.app[0].id
  domain   = "vpc"
  tags     = { Name = var.name }
}

# --- The name -----------------------------------------------------------------------------------------------------

# One record for both shapes, so that it is changed in place from the one to the other: a second one by the same name can't
# be made before the first is gone.
resource "aws_route53_record" "app" {
  count   = var.zone_id == "" ? 0 : 1
  zone_id = var.zone_id
  name    = var.domain
  type    = "A"
  ttl     = var.balanced ? null : 300
  records = var.balanced ? null : aws_eip.app[*].public_ip
  dynamic "alias" {
    for_each = aws_lb.main
    content {
      name                   = alias.value.dns_name
      zone_id                = alias.value.zone_id
      evaluate_target_health = true
    }
  }
}
