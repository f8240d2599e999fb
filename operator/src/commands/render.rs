//! `farmlokal-operator render`: all that would be applied for an object, without a cluster.

use std::io::Read as _;

use serde::Serialize;

use super::{CommandError, yaml};
use crate::cli::Render;
use crate::controller::build::{Prepared, Serving, build, generated};
use crate::controller::dereference::World;
use crate::controller::gates::Gates;
use crate::controller::validate::{Defaults, Instance, validate};
use crate::crd::FarmLokal;

pub(super) fn run(options: &Render) -> Result<String, CommandError> {
    let mut text = String::new();
    let read = if options.file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(&options.file).map(|read| text = read)
    };
    read.map_err(|source| CommandError::Read { file: options.file.display().to_string(), source })?;
    render(&text, &Defaults { image: options.image.image.clone() })
}

/// The objects for the one in `text`, as YAML documents, in the order in which they are applied. What only a cluster
/// knows is left open: the values of Secrets, and what is there already.
///
/// # Errors
///
/// When `text` is no such object, or asks for what cannot be had.
pub fn render(text: &str, defaults: &Defaults) -> Result<String, CommandError> {
    let object: FarmLokal = serde_saphyr::from_str(text).map_err(|error| yaml(&error))?;
    documents(&validate(&object, defaults)?)
}

fn documents(instance: &Instance) -> Result<String, CommandError> {
    let world = World::default();
    let Prepared {
        service_account,
        tuning,
        service,
        network_policy,
        volume,
        migration,
        seed,
        serving,
        ingress,
        http_route,
    } = build(instance, &world, &Gates::to_show(instance), None);
    let mut documents = Documents(String::new());
    documents.add(Some(&service_account))?;
    documents.add(Some(&generated(instance, || "<generated once>".to_owned())))?;
    documents.add(tuning.as_ref())?;
    documents.add(Some(&service))?;
    documents.add(network_policy.as_ref())?;
    documents.add(volume.as_ref())?;
    documents.add(migration.as_ref())?;
    documents.add(seed.as_ref())?;
    if let Some(Serving { config, deployment, autoscaler, disruption_budget }) = &serving {
        documents.add(Some(config))?;
        documents.add(Some(deployment))?;
        documents.add(autoscaler.as_ref())?;
        documents.add(disruption_budget.as_ref())?;
    }
    documents.add(ingress.as_ref())?;
    documents.add(http_route.as_ref())?;
    Ok(documents.0)
}

struct Documents(String);

impl Documents {
    fn add<T: Serialize>(&mut self, object: Option<&T>) -> Result<(), CommandError> {
        let Some(object) = object else { return Ok(()) };
        self.0.push_str("---\n");
        self.0.push_str(&serde_saphyr::to_string(object).map_err(|error| yaml(&error))?);
        Ok(())
    }
}
