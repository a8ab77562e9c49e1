# What the service needs on AWS. deploy/README.md goes through it step by step.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
  # One operator: the state stays local (it has the secrets in it: keep it as you keep those). A team: an encrypted
  # bucket, `terraform init -backend-config=…` after uncommenting.
  # backend "s3" {}
}

provider "aws" {
  region = var.region
  default_tags {
    tags = {
      Project     = var.name
      Environment = var.environment
      ManagedBy   = "terraform"
    }
  }
}

data "aws_caller_identity" "this" {}

data "aws_availability_zones" "here" {
  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  account = data.aws_caller_identity.this.account_id
  zones   = slice(data.aws_availability_zones.here.names, 0, 2)
  mysql   = var.database_engine == "mysql"
}
