# With `balanced`: the same machines, 2 to 5 of them, behind a load balancer that ends TLS.

resource "aws_lb" "main" {
  count              = var.balanced ? 1 : 0
  name               = var.name
  load_balancer_type = "application"
  subnets            = aws_subnet.public[*].id
  security_groups    = [aws_security_group.balancer[0].id]
  # Less than the 75 s that Nginx keeps a connection (nginx/table-order/locations.conf): one that it closes under a request
  # would be a 502. Streams say something every 15 s.
  idle_timeout               = 60
  drop_invalid_header_fields = true
  enable_deletion_protection = var.database_protected
}

resource "aws_lb_target_group" "app" {
  count                = var.balanced ? 1 : 0
  name                 = var.name
  port                 = 80
  protocol             = "HTTP"
  vpc_id               = aws_vpc.main.id
  deregistration_delay = 30 # streams don't end by themselves; boards come back elsewhere within 2 s
  # Alive, not ready: a database that is away must not make the group replace every machine.
  health_check {
    path                = "/health"
    interval            = 30
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "http" {
  count             = var.balanced ? 1 : 0
  load_balancer_arn = aws_lb.main[0].arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "https" {
  count             = var.balanced ? 1 : 0
  load_balancer_arn = aws_lb.main[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn != "" ? var.certificate_arn : aws_acm_certificate_validation.main[0].certificate_arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app[0].arn
  }
}

resource "aws_autoscaling_group" "app" {
  count                     = var.balanced ? 1 : 0
  name_prefix               = "${var.name}-"
  min_size                  = var.fewest
  max_size                  = var.most
  vpc_zone_identifier       = aws_subnet.public[*].id
  target_group_arns         = [aws_lb_target_group.app[0].arn]
  health_check_type         = "ELB"
  health_check_grace_period = 420 # the installation takes some minutes
  launch_template {
    id      = aws_launch_template.app.id
    version = aws_launch_template.app.latest_version
  }
  default_instance_warmup = 300
  # The new machine first, whoever replaces one: a release, the health check, AWS. By itself a group ends the old one first.
  instance_maintenance_policy {
    min_healthy_percentage = 100
    max_healthy_percentage = 150
  }
  # A new image or new settings: machine by machine.
  instance_refresh {
    strategy = "Rolling"
  }
  tag {
    key                 = "Name"
    value               = "${var.name}-app"
    propagate_at_launch = true
  }
  # Nothing else leads to these rules, and `-target` (README) takes along only what something leads to: without them no
  # health check reaches a machine, and the group would replace them for ever.
  depends_on = [
    aws_vpc_security_group_egress_rule.app,
    aws_vpc_security_group_egress_rule.balancer,
    aws_vpc_security_group_ingress_rule.balancer,
    aws_vpc_security_group_ingress_rule.from_balancer,
  ]
}

resource "aws_autoscaling_policy" "cpu" {
  count                     = var.balanced ? 1 : 0
  name                      = "cpu"
  autoscaling_group_name    = aws_autoscaling_group.app[0].name
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = 300
  target_tracking_configuration {
    predefined_metric_specification { predefined_metric_type = "ASGAverageCPUUtilization" }
    target_value = 60
  }
}

resource "aws_acm_certificate" "main" {
  count             = var.balanced && var.certificate_arn == "" ? 1 : 0
  domain_name       = var.domain
  validation_method = "DNS"
  lifecycle {
    create_before_destroy = true
    precondition {
      condition     = var.zone_id != ""
      error_message = "Give zone_id, so that the certificate can be validated, or certificate_arn."
    }
  }
}

resource "aws_route53_record" "validation" {
  count           = length(aws_acm_certificate.main)
  zone_id         = var.zone_id
  name            = one(aws_acm_certificate.main[0].domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.main[0].domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.main[0].domain_validation_options).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "main" {
  count                   = length(aws_acm_certificate.main)
  certificate_arn         = aws_acm_certificate.main[0].arn
  validation_record_fqdns = aws_route53_record.validation[*].fqdn
}
