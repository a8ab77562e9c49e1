# Who may talk to whom. 8000-8002 are open to nobody: Nginx is in front, on the same machine.

resource "aws_security_group" "app" {
  name_prefix = "${var.name}-app-"
  description = "The machines that serve"
  vpc_id      = aws_vpc.main.id
  tags        = { Name = "${var.name}-app" }
  lifecycle { create_before_destroy = true }
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  count             = var.ssh_from == "" ? 0 : 1
  security_group_id = aws_security_group.app.id
  description       = "SSH from the operator"
  cidr_ipv4         = var.ssh_from
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

resource "aws_vpc_security_group_ingress_rule" "web" {
  for_each          = var.balanced ? {} : { http = 80, https = 443 }
  security_group_id = aws_security_group.app.id
  description       = "${each.key} from everywhere; http only leads to https"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_ingress_rule" "from_balancer" {
  count                        = var.balanced ? 1 : 0
  security_group_id            = aws_security_group.app.id
  description                  = "HTTP from the load balancer"
  referenced_security_group_id = aws_security_group.balancer[0].id
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
}

resource "aws_vpc_security_group_egress_rule" "app" {
  security_group_id = aws_security_group.app.id
  description       = "Packages, S3, CloudWatch, Secrets Manager, certificates, the data"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_security_group" "balancer" {
  count       = var.balanced ? 1 : 0
  name_prefix = "${var.name}-balancer-"
  description = "The load balancer"
  vpc_id      = aws_vpc.main.id
  tags        = { Name = "${var.name}-balancer" }
  lifecycle { create_before_destroy = true }
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each          = var.balanced ? { http = 80, https = 443 } : {}
  security_group_id = aws_security_group.balancer[0].id
  description       = "${each.key} from everywhere; http only leads to https"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  count                        = var.balanced ? 1 : 0
  security_group_id            = aws_security_group.balancer[0].id
  description                  = "To the machines"
  referenced_security_group_id = aws_security_group.app.id
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
}

# The data: one port each, from the machines only, and no way out (no egress rule).
resource "aws_security_group" "data" {
  for_each    = local.data_ports
  name_prefix = "${var.name}-${each.key}-"
  description = "The ${each.key}"
  vpc_id      = aws_vpc.main.id
  tags        = { Name = "${var.name}-${each.key}" }
  lifecycle { create_before_destroy = true }
}

resource "aws_vpc_security_group_ingress_rule" "data" {
  for_each                     = local.data_ports
  security_group_id            = aws_security_group.data[each.key].id
  description                  = "The ${each.key} from the machines"
  referenced_security_group_id = aws_security_group.app.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

locals {
  data_ports = merge(
    { database = local.mysql ? 3306 : 5432 },
    var.cache ? { cache = 6379 } : {},
    var.broker ? { broker = 5671 } : {},
  )
}
