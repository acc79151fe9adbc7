package interop;

import org.apache.cxf.tools.wsdlto.WSDLToJava;

/**
 * Runs wsdl2java on several WSDLs in one Java machine. Arguments: the folder of sources to fill, then
 * pairs of a package and a WSDL.
 *
 * -validate=none is for GestionPartageeEVT alone: its six operations share one element, which CXF
 * takes for an error (« non-unique body parts »).
 */
public final class Generate {
    public static void main(String[] args) throws Exception {
        for (int i = 1; i < args.length; i += 2) {
            boolean lenient = args[i].endsWith(".evenements");
            WSDLToJava.main(lenient
                ? new String[] {"-validate=none", "-p", args[i], "-d", args[0], args[i + 1]}
                : new String[] {"-p", args[i], "-d", args[0], args[i + 1]});
        }
    }
}
