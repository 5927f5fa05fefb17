//! The plugin `host-device`.

use super::ConvertError;
use super::ipam::Ipam;
use super::keys::Keys;
use super::plan::Plan;
use super::routes;

pub(super) fn convert(keys: &mut Keys, ipam: &Ipam, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.driver = "wasm-host-device";
    let given = |value: Option<String>| value.filter(|value| !value.is_empty());
    // The first one counts there; a device that the runtime passes comes before
    // all others.
    let passed = plan.device.take();
    let ways = [
        ("pci", given(passed)),
        ("parent", given(keys.take("device")?)),
        ("hwaddr", given(keys.take("hwaddr")?)),
        ("kernelpath", given(keys.take("kernelpath")?)),
        ("pci", given(keys.take("pciBusID")?)),
    ];
    let mut given = ways
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    let Some((key, value)) = given.next() else {
        return Err(ConvertError::Impossible {
            key: "device",
            text: "a network of Podman's needs a device from its making on: give \"device\", \
                   \"hwaddr\", \"kernelpath\" or \"pciBusID\"; each container can still choose \
                   another with `--network NAME:pci=ADDRESS`"
                .to_owned(),
        });
    };
    plan.option(key, value);
    for (key, value) in given {
        let text = format!("a device is named in one way only: {value} is left out");
        plan.no_counterpart(key, &text);
    }
    routes::lay(plan, ipam, false);
    Ok(())
}
