//! The plugin `host-device`.

use super::ConvertError;
use super::ipam::Ipam;
use super::keys::Keys;
use super::plan::Plan;
use super::routes;

pub(super) fn convert(keys: &mut Keys, ipam: &Ipam, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.driver = "wasm-host-device";
    let given = |value: Option<String>| value.filter(|value| !value.is_empty());
    // CNI uses the first of these that is given. A device that the runtime passes goes
    // before all others.
    let passed = plan.device.take();
    let properties = [
        ("pci", given(passed)),
        ("parent", given(keys.take("device")?)),
        ("hwaddr", given(keys.take("hwaddr")?)),
        ("kernelpath", given(keys.take("kernelpath")?)),
        ("pci", given(keys.take("pciBusID")?)),
    ];
    let mut given = properties
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    let Some((key, value)) = given.next() else {
        return Err(ConvertError::Impossible {
            key: "device",
            text: "a network of Podman needs a device when it is made: give \"device\", \
                   \"hwaddr\", \"kernelpath\" or \"pciBusID\"; each container can still choose \
                   another with `--network NAME:pci=ADDRESS`"
                .to_owned(),
        });
    };
    plan.option(key, value);
    for (key, value) in given {
        let text = format!("only one of a device's properties is used: {value} is left out");
        plan.no_counterpart(key, &text);
    }
    routes::apply(plan, ipam, false);
    Ok(())
}
