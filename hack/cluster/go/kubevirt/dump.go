package main

import (
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/components"
	vap "kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/components/validatingadmissionpolicies"
	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/rbac"
)

// dump writes KubeVirt's own manifests, one file for each group, into the directory given as the first argument.
func dump() {
	const ns = "kubevirt"
	dir := "."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	var crds []any
	for _, f := range []func() (*extv1.CustomResourceDefinition, error){
		components.NewKubeVirtCrd, components.NewVirtualMachineInstanceCrd, components.NewPresetCrd, components.NewReplicaSetCrd,
		components.NewVirtualMachineCrd, components.NewVirtualMachineInstanceMigrationCrd,
		components.NewVirtualMachineSnapshotCrd, components.NewVirtualMachineSnapshotContentCrd,
		components.NewVirtualMachineRestoreCrd, components.NewVirtualMachineInstancetypeCrd,
		components.NewVirtualMachineClusterInstancetypeCrd, components.NewVirtualMachinePoolCrd,
		components.NewMigrationPolicyCrd, components.NewVirtualMachinePreferenceCrd,
		components.NewVirtualMachineClusterPreferenceCrd, components.NewVirtualMachineExportCrd,
		components.NewVirtualMachineCloneCrd, components.NewVirtualMachineBackupCrd,
		components.NewVirtualMachineBackupTrackerCrd, components.NewPluginCrd,
	} {
		crd, err := f()
		must(err)
		crds = append(crds, crd)
	}
	write(dir, "crds.yaml", crds)

	var roles []any
	roles = append(roles, &corev1.Namespace{TypeMeta: typeMeta("v1", "Namespace"), ObjectMeta: meta(ns)})
	for _, group := range [][]runtime.Object{
		rbac.GetAllCluster(), rbac.GetAllApiServer(ns), rbac.GetAllController(ns, true), rbac.GetAllHandler(ns),
		rbac.GetAllExportProxy(ns), rbac.GetAllSynchronizationController(ns),
	} {
		for _, o := range group {
			roles = append(roles, o)
		}
	}
	write(dir, "rbac.yaml", roles)

	write(dir, "webhooks.yaml", []any{
		components.NewVirtAPIValidatingWebhookConfiguration(ns), components.NewVirtAPIMutatingWebhookConfiguration(ns),
	})
	write(dir, "webhook-launcher-pod.yaml", []any{components.NewVirtLauncherPodMutatingWebhookConfiguration(ns)})
	var apis []any
	for _, a := range components.NewVirtAPIAPIServices(ns) {
		apis = append(apis, a)
	}
	write(dir, "apiservices.yaml", apis)
	var misc []any
	misc = append(misc, components.NewKubeVirtPriorityClassCR(), components.NewApiServerService(ns))
	for _, c := range components.NewCAConfigMaps(ns) {
		misc = append(misc, c)
	}
	write(dir, "services.yaml", misc)
	write(dir, "policies.yaml", []any{
		vap.NewHandlerV1ValidatingAdmissionPolicy("system:serviceaccount:" + ns + ":" + components.HandlerServiceAccountName),
		vap.NewHandlerV1ValidatingAdmissionPolicyBinding(),
	})

	its, err := components.NewClusterInstancetypes()
	must(err)
	var it []any
	for _, o := range its {
		it = append(it, o)
	}
	prefs, err := components.NewClusterPreferences()
	must(err)
	for _, o := range prefs {
		it = append(it, o)
	}
	write(dir, "instancetypes.yaml", it)
}

func write(dir, name string, objs []any) {
	f, err := os.Create(filepath.Join(dir, name))
	must(err)
	defer f.Close()
	for _, o := range objs {
		m := map[string]any{}
		if ro, ok := o.(runtime.Object); ok && ro.GetObjectKind().GroupVersionKind().Empty() {
			if gvks, _, err := scheme.Scheme.ObjectKinds(ro); err == nil && len(gvks) > 0 {
				ro.GetObjectKind().SetGroupVersionKind(gvks[0])
			}
		}
		b, err := yaml.Marshal(o)
		must(err)
		must(yaml.Unmarshal(b, &m))
		delete(m, "status")
		unstructured.RemoveNestedField(m, "metadata", "creationTimestamp")
		if m["kind"] == nil || m["apiVersion"] == nil {
			fmt.Fprintf(os.Stderr, "%s: object without kind: %T\n", name, o)
		}
		b, err = yaml.Marshal(m)
		must(err)
		fmt.Fprintf(f, "---\n%s", b)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
